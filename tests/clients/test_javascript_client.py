"""The JavaScript client in Node: its answers, its types, and the program of its README."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import job, make
from javascript_package import SLOW_WITH_NPM, blocks, npm
from raw_column_models import write_model

pytestmark = SLOW_WITH_NPM


def test_in_an_app_of_its_own(package: Path, packed: Path, models: Path, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "app.ts").write_text(
        'import { load, type Conformance } from "abline-client";\n'
        "const model = await load(process.argv[2] ?? '');\n"
        "const proof: Conformance = await model.conformance();\n"
        "const rows: number[][] = await model.predict([{ rooms: 3, size: 70.5, age: 12 }]);\n"
        "const same: number[][] = await model.predict({ rooms: [3], size: [70.5], age: [12] });\n"
        "const { y }: Record<string, number[][]> = await model.answers([[70.5, 12, 3]]);\n"
        "console.log(proof.ok, String(rows) === String(same), String(rows) === String(y));\n"
    )
    # The parts of onnxruntime for GPUs would be fetched by scripts.
    npm(tmp_path, "install", "--ignore-scripts", str(packed), "onnxruntime-node", "@types/node")
    tsc = [
        str(package / "node_modules/.bin/tsc"),
        "--module",
        "nodenext",
        "--strict",
        "--skipLibCheck",
    ]
    subprocess.run([*tsc, "--types", "node", "app.ts"], cwd=tmp_path, check=True)
    output = subprocess.check_output(["node", "app.js", str(models)], cwd=tmp_path, text=True)
    assert output == "true true true\n"
    assert (tmp_path / "node_modules/abline-client/LICENSE").exists()


def test_the_readme_prints_what_node_prints(
    package: Path, packed: Path, workspace: Path, tmp_path: Path
) -> None:
    make(job())
    (workspace / "package.json").write_text('{"type": "module"}')
    npm(workspace, "install", "--ignore-scripts", str(packed), "onnxruntime-node")
    (program,) = [block for block in blocks("js") if "app.mjs" in block]
    (workspace / "app.mjs").write_text(program)
    told = subprocess.check_output(["node", "app.mjs"], cwd=workspace, text=True)
    assert told == blocks("text")[0]


@pytest.mark.parametrize(("kind", "at_least"), [("models", 16), ("answering", 4)])
def test_in_node(
    package: Path,
    kind: str,
    at_least: int,
    table_models: Path,
    term_models: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    folder: Path = request.getfixturevalue(kind)
    write_model(tmp_path)
    write_model(tmp_path / "two", ["price", "rent"])
    shutil.copytree(table_models, tmp_path / "exported")
    shutil.copytree(term_models, tmp_path / "terms")
    told = npm(package, "test", ABLINE_MODELS=str(folder), ABLINE_RAW_MODELS=str(tmp_path))
    assert re.search(r"# pass [1-9]", told)
    assert "# fail 0" in told
    assert "# skipped 0" in told
    equal = re.search(r"(\d+) of 32 bit-equal", told)
    assert equal is not None
    assert int(equal[1]) >= at_least

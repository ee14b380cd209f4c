"""Data never becomes code: no pickle, no eval, no shell, no action of CI that may change."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

CODE = sorted([*ROOT.glob("pipeline/**/*.py"), *ROOT.glob("clients/python/abline_client/*.py")])
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FUNCTIONS = {"eval", "exec", "compile", "__import__"}
METHODS = {
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("yaml.unsafe_load", "yaml.full_load", "yaml.unsafe_load_all", "yaml.full_load_all"),
}


def dangers(text: str) -> Iterator[str]:
    """Yield the names in a module's text that make code of data."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.split(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            # `torch.load` raises UnpicklingError for a file that it refuses to read.
            yield from (each.name for each in node.names if each.name != "UnpicklingError")
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in METHODS:
            yield ast.unparse(node)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {each.arg: ast.unparse(each.value) for each in node.keywords}
            if name in FUNCTIONS:
                yield name
            if (
                given.get("shell", "False") != "False"
                or given.get("allow_pickle", "False") != "False"
            ):
                yield ast.unparse(node)
            if name == "torch.load" and given.get("weights_only") != "True":
                yield name


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.stem)
def test_no_module_makes_code_of_data(path: Path) -> None:
    assert list(dangers(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "import pickle",
            "from joblib import load",
            "import dill.source",
            "from pickle import Unpickler",
        ),
        *("eval('1')", "exec(text)", "os.system('ls')", "run = os.popen"),
        *("subprocess.run('ls', shell=True)", "np.load(path, allow_pickle=True)"),
        *("torch.load(path)", "torch.load(path, weights_only=False)", "yaml.unsafe_load(text)"),
    ],
)
def test_what_would_be_found(text: str) -> None:
    assert list(dangers(text))


SCRIPTS = [
    path
    for folder in ("", "src", "src/page", "page")
    for path in sorted((ROOT / "clients/javascript" / folder).glob("*.*s"))
]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_code_of_data(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"\beval\(|new Function\(|\.innerHTML|insertAdjacentHTML|child_process", text
    )


def test_there_are_modules_and_scripts_to_look_at() -> None:
    assert len(CODE) > 30
    assert {"serve.mjs", "browser.ts", "page.ts"} <= {path.name for path in SCRIPTS}


def test_ci_runs_actions_by_commit_and_keeps_no_credentials() -> None:
    (job,) = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"].values()
    actions = {step["uses"].partition("@")[0]: step for step in job["steps"] if "uses" in step}
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"]) for step in actions.values())
    assert actions["actions/checkout"]["with"]["persist-credentials"] is False

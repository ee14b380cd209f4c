"""`python -m pipeline.describe`: the page, JSON, and params.yaml."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, environment
from described import PARAMS, lines
from own_tables import put

from pipeline import describe
from pipeline.settings import params
from pipeline.settings.errors import UserError

TABLE = lines(
    "id,area,heating,sold,price",
    lambda row: row + 1,
    lambda row: "" if row == 9 else 50 + row * 37 % 101,
    ["gas", "oil", "gas"],
    lambda row: f"2019-{row % 12 + 1:02}-{row % 28 + 1:02}",
    lambda row: 1000 + row * 29 % 83,
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS)
    put(TABLE, "houses.csv")


def run(
    *targets: str, write: bool = False, as_json: bool = False, table: str = "houses.csv"
) -> None:
    describe.describe(Path("data/raw") / table, targets, [], write, as_json)


def test_the_page_has_a_line_for_the_file_and_for_each_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run("price")
    page = capsys.readouterr().out
    assert page.startswith("data/raw/houses.csv: text in utf-8, separated by commas")
    assert "60 rows, 5 columns" in page
    for start in ("id ", "area ", "heating ", "sold ", "price "):
        assert any(line.startswith(start) for line in page.splitlines())
    assert "  id: a row number: 1, 2, 3, …" in page
    assert Path("params.yaml").read_text() == PARAMS


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    run("price", as_json=True)
    value = json.loads(capsys.readouterr().out)
    assert value["rows"] == 60
    assert [column["kind"] for column in value["columns"]] == [
        "number", "number", "text", "date", "number",
    ]  # fmt: skip
    assert value["proposal"]["exclude"] == ["id"]
    assert value["proposal"]["features"]["heating"] == {"kind": "category"}
    assert {"column": "id", "subject": "row number", "text": "a row number: 1, 2, 3, …"} in value[
        "remarks"
    ]


def test_write_puts_the_proposal_into_params_yaml_and_keeps_the_rest() -> None:
    run("price", write=True)
    job = params.load()
    assert job.data.source == "data/raw/houses.csv"
    assert [*job.data.columns] == ["area", "heating", "sold"]
    assert job.data.exclude == ("id",)
    assert (job.data.test_fraction.share, job.train.optimizer) == (0.2, "exact")
    assert job.evaluate.queries == ({"area": 50, "heating": "gas", "sold": "2019-01-01"},)
    kept = set(PARAMS.splitlines()) - set(Path("params.yaml").read_text().splitlines())
    assert len(kept) == 7  # source, features, exclude, targets, test_fraction, optimizer, queries


def test_to_write_again_changes_nothing() -> None:
    run("price", write=True)
    once = Path("params.yaml").read_text()
    run("price", write=True)
    assert Path("params.yaml").read_text() == once


def test_settings_that_exact_does_not_have_are_taken_back() -> None:
    Path("params.yaml").write_text(PARAMS.replace("momentum: 0.0", "momentum: 0.9"))
    run("price", write=True)
    assert params.load().train.momentum == 0


def test_a_table_elsewhere_is_described_but_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "elsewhere.csv"
    path.write_text(TABLE)
    describe.describe(path, ["price"], [], False, False)
    assert "60 rows" in capsys.readouterr().out
    with pytest.raises(UserError, match="must be under data/raw/; copy the table there: `cp "):
        describe.describe(path, ["price"], [], True, False)


def test_nothing_is_written_after_a_mistake() -> None:
    with pytest.raises(UserError, match='no column "prize"; did you mean "price"'):
        run("prize", write=True)
    with pytest.raises(UserError, match=r"there is no such file; did you mean data/raw/houses.csv"):
        run("price", write=True, table="house.csv")
    with pytest.raises(UserError, match="--target: name the column to predict"):
        run(write=True)
    assert Path("params.yaml").read_text() == PARAMS


def test_the_program_needs_no_torch_and_no_mlflow() -> None:
    code = (
        "import sys; from pathlib import Path; from pipeline import describe;"
        " describe.describe(Path('data/raw/houses.csv'), ['price'], [], False, False);"
        " print([name for name in ('torch', 'mlflow') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    variables = environment() | {"PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, capture_output=True, text=True, env=variables, check=True)
    assert result.stdout.endswith("[]\n")

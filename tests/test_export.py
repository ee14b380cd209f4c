"""`export` needs no rows but those of the sample, and says how many of how many it tried."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import job, make
from mixed_tables import mixed_job, mixed_rows
from onnx_files import ALL_OUTPUTS
from own_tables import put
from pyarrow import csv

from pipeline import export
from pipeline.compute import draws
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params

MADE = (files.ONNX, files.CONTRACT, files.VERIFICATION, files.CARD)


@pytest.fixture(params=[pytest.param("matrix", marks=pytest.mark.slow), "raw columns"])
def params(request: pytest.FixtureRequest, workspace: Path) -> Params:
    """A job of each kind of file, made in the working directory."""
    if request.param == "matrix":
        asked = job(**ALL_OUTPUTS)
    else:
        Path("data/raw").mkdir(parents=True)
        csv.write_csv(mixed_rows(200), "data/raw/flats.csv")
        text = Path("data/raw/flats.csv").read_text().replace("nan", "")
        put(text, "flats.csv")
        asked = mixed_job(export__outputs=["prediction", "interval", "in_range"])
    make(asked)
    return asked


def made() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in MADE}


def test_the_tables_themselves_are_not_read(params: Params) -> None:
    """With data.keep_rows: false they have no rows, and a large one need not be pulled."""
    before = made()
    for path in (files.TRAIN, files.TEST):
        path.unlink()
    export.main(params)
    assert made() == before


def test_a_sample_gives_the_same_contract_and_says_what_was_tried(
    params: Params, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = json.loads(files.CONTRACT.read_text())
    rows = json.loads(files.VERIFICATION.read_text())["training_rows"]
    assert rows["tried"] == rows["of"]
    assert " training rows" not in capsys.readouterr().out
    monkeypatch.setattr(draws, "FEWEST_SAMPLED_ROWS", 12)
    monkeypatch.setattr(draws, "SAMPLED_ROWS", {"train": 12, "test": 2})
    make(params)
    counts = json.loads(files.SUMMARY.read_text())["sample"]
    assert counts["extreme"] > 0
    tried = {"tried": counts["train"] + counts["extreme"], "of": rows["of"]}
    assert json.loads(files.VERIFICATION.read_text())["training_rows"] == tried
    told = f"{tried['tried']} of {tried['of']} training rows"
    assert told in capsys.readouterr().out
    assert told.replace("of", "of the") in files.CARD.read_text()
    after = json.loads(files.CONTRACT.read_text())
    for key in ("input", "inputs", "outputs", "test_metrics"):
        assert after.get(key) == before.get(key)
    if "input" in before:
        assert after["golden"] == before["golden"], "the ranges are the same"


def spoil(key: str, value: Any) -> None:
    content = json.loads(files.SUMMARY.read_text())
    content[key] = value
    files.SUMMARY.write_text(json.dumps(content))


def test_a_summary_that_is_missing_or_damaged_is_said(workspace: Path) -> None:
    make(job())
    spoil("sample", {"train": 2, "extreme": 0, "test": 0})
    with pytest.raises(UserError, match=r"^data/sample.parquet: found 3 rows, but data/summary"):
        export.main(job())
    spoil("features", ["z"])
    with pytest.raises(UserError, match=r"^data/summary.json: it has other columns than data/"):
        export.main(job())
    spoil("parts", 3)
    with pytest.raises(UserError, match=r"^data/summary.json: damaged \(TypeError"):
        export.main(job())
    files.SUMMARY.unlink()
    with pytest.raises(UserError, match=r"^data/summary.json: there is no such file; `dvc repro`"):
        export.main(job())

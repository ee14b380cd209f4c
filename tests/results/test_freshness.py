"""Tables that were made with other parameters, or of other files, are not swept over."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, job_text

from pipeline.results import freshness
from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError

FEATURES = {"area": "number", "sold": {"kind": "date", "parts": ["days"]}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder with tables, and the dvc.lock of the stage that made them."""
    monkeypatch.chdir(tmp_path)
    Path("data/raw").mkdir(parents=True)
    for path in ("data/raw/flats.csv", "data/train.parquet", "data/summary.json"):
        Path(path).write_text(path)
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    stage = lock["stages"]["generate"]
    stage["params"]["params.yaml"]["data.features"] = FEATURES
    stage["deps"] = [recorded("data/raw")]
    stage["outs"] = [recorded("data/train.parquet"), recorded("data/summary.json")]
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    Path("dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    return tmp_path


def recorded(path: str) -> dict[str, Any]:
    """Return what dvc.lock has of a file or a folder."""
    return {"path": path, "hash": "md5", "md5": dvc_md5.of(Path(path))}


def test_tables_of_the_job_may_be_swept(folder: Path) -> None:
    freshness.check_data(job_text(data__features=FEATURES))
    freshness.check_data(job_text(data__features=FEATURES, train__lr=0.5))


def test_other_parameters_are_refused_by_their_keys(folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"with other values of seed, data\.test_fraction than params\.yaml has"
    ):
        freshness.check_data(job_text(data__features=FEATURES, seed=7, data__test_fraction=0.5))


def test_kinds_of_columns_are_compared_as_they_are_written(folder: Path) -> None:
    with pytest.raises(UserError, match=r"other values of data\.features than"):
        freshness.check_data(job_text(data__features={**FEATURES, "sold": "date"}))


def test_another_source_is_refused(folder: Path) -> None:
    Path("data/raw/flats.csv").write_text("other rows")
    with pytest.raises(UserError, match=r"from other files than data/raw/ has; `dvc repro gen"):
        freshness.check_data(job_text(data__features=FEATURES))


def test_tables_that_the_lock_does_not_record_are_refused(folder: Path) -> None:
    Path("data/summary.json").write_text("of another commit")
    Path("data/train.parquet").unlink()
    with pytest.raises(UserError, match=r"train\.parquet, data/summary\.json: not what dvc\.lock"):
        freshness.check_data(job_text(data__features=FEATURES))


@pytest.mark.parametrize("lock", [None, "stages: {", "stages: {train: {}, track: {}}"])
def test_without_a_lock_file_nothing_is_known(lock: str | None, folder: Path) -> None:
    Path("dvc.lock").unlink()
    if lock is not None:
        Path("dvc.lock").write_text(lock)
    freshness.check_data(job_text(seed=7))

"""Tables that were made with other parameters are not swept over."""

from pathlib import Path

import pytest
import yaml
from conftest import ROOT, job_text

from pipeline.results import freshness
from pipeline.settings.errors import UserError


def test_the_committed_data_is_that_of_the_committed_job() -> None:
    freshness.check_data(job_text())
    freshness.check_data(job_text(train__lr=0.5))


def test_other_data_is_refused_with_the_keys() -> None:
    with pytest.raises(
        UserError, match="other values of seed, data.test_fraction than params.yaml"
    ):
        freshness.check_data(job_text(seed=7, data__test_fraction=0.5))


def test_kinds_of_columns_are_compared_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = {"area": "number", "sold": {"kind": "date", "parts": ["days"]}}
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())
    values = lock["stages"]["generate"]["params"]["params.yaml"]
    values["data.features"] = features
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump(lock))
    freshness.check_data(job_text(data__features=features))
    with pytest.raises(UserError, match=r"other values of data\.features than"):
        freshness.check_data(job_text(data__features={**features, "sold": "date"}))


@pytest.mark.parametrize("lock", [None, "stages: {", "stages: {train: {}, track: {}}"])
def test_without_a_lock_file_nothing_is_known(
    lock: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text((ROOT / "dvc.yaml").read_text())
    if lock is not None:
        (tmp_path / "dvc.lock").write_text(lock)
    assert yaml.safe_load((tmp_path / "dvc.yaml").read_text())
    freshness.check_data(job_text(seed=7))

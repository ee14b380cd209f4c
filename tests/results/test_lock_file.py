"""A dvc.lock is checked before anything in it is used, and compared by values alone."""

from typing import Any

import pytest
import yaml
from commits import lock_text

from pipeline.results import lock_file
from pipeline.settings.errors import UserError

LOCK = lock_text("code", lr=0.01)


def test_a_lock_names_its_result_only_after_the_last_stage() -> None:
    stages = yaml.safe_load(LOCK)["stages"]
    assert lock_file.recorded_md5(LOCK) == stages["track"]["outs"][0]["md5"]
    assert lock_file.recorded_md5(LOCK.partition("  track:")[0]) is None


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("train", "outs", 0, "path"), "../secret", "^dvc.lock names the file '../secret'"),
        (("train", "outs", 0, "md5"), "ab/../x", "^dvc.lock: the md5 of data/train.parquet is not"),
        (("train", "deps", 0, "md5"), 7, r"^dvc.lock is damaged \(TypeError\)"),
        (("train", "deps"), 7, r"^dvc.lock is damaged \(TypeError\)"),
        (("train", "params", "params.yaml"), {7: 1}, r"^dvc.lock is damaged \(TypeError\)"),
        (("train", "params", "params.yaml"), {"a": float("nan")}, r"is damaged \(ValueError\)"),
        (("train",), None, r"^dvc.lock is damaged \(AttributeError\)"),
    ],
)
def test_what_is_not_valid_is_refused(place: tuple[Any, ...], value: Any, message: str) -> None:
    content = yaml.safe_load(LOCK)
    *before, last = place
    entry = content["stages"]
    for key in before:
        entry = entry[key]
    entry[last] = value
    with pytest.raises(UserError, match=message):
        lock_file.checked_stages(yaml.safe_dump(content))


def test_another_pipelines_lock_is_refused() -> None:
    with pytest.raises(UserError, match="no train or no track"):
        lock_file.checked_stages("stages: {train: {}}\n")


def test_stages_have_parameters_and_tables() -> None:
    values: dict[str, Any] = {"seed": 1, "train.lr": 0.5}
    stages = lock_file.checked_stages(lock_text("code", "data", **values))
    assert lock_file.parameters(stages) == values
    assert list(lock_file.table_md5s(stages)) == ["data/train.parquet"]


@pytest.mark.parametrize(
    ("now", "differs"),
    [
        (lock_text("other code", lr=0.01), False),
        (lock_text("code", lr=0.02), True),
        (lock_text("code", "other data", lr=0.01), True),
        (lock_text("code", lr=0.01, patience=3), False),  # a parameter that came with the code
        ("stages: [\n", True),  # its replay says what is wrong
    ],
)
def test_only_another_value_is_a_difference(now: str, differs: bool) -> None:
    assert lock_file.differs(now, lock_text("code", lr=0.01)) is differs


def test_a_parameter_that_changes_no_figure_is_no_difference() -> None:
    values: list[dict[str, Any]] = [{"export.atol": atol} for atol in (0.0, 1e-6)]
    now, before = (lock_text("code", "data", **each) for each in values)
    assert not lock_file.differs(now, before)

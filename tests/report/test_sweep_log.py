"""What a sweep is known by, and its own file."""

from pathlib import Path
from typing import Any

import pytest
from conftest import job

from pipeline.learning.outcomes import Outcome
from pipeline.report.sweep_log import SweepLog, sweep_id
from pipeline.settings import files

RANGES: tuple[Any, ...] = (("train.lr",), ((0.1,), (0.2,)))


def outcomes(count: int) -> list[Outcome]:
    """Return as many outcomes."""
    return [
        Outcome(number, {"train.lr": number / 100}, {"train.rmse": 1.0 / 3}, ((1, 9.0), (2, 8.5)))
        for number in range(1, count + 1)
    ]


@pytest.fixture
def data(workspace: Path) -> Path:
    """Return a workspace with files in the place of data/."""
    for path in (files.COLUMNS, files.SUMMARY, files.TRAIN, files.TEST):
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    return workspace


def test_a_sweep_is_known_by_all_that_its_figures_depend_on(data: Path) -> None:
    first = sweep_id(job(), ["train.lr"], RANGES)
    assert sweep_id(job(), ["train.lr"], RANGES) == first
    others = {
        "another key": sweep_id(job(), ["train.momentum"], (("train.momentum",), RANGES[1])),
        "another value": sweep_id(job(), ["train.lr"], (RANGES[0], ((0.1,), (0.3,)))),
        "another order": sweep_id(job(), ["train.lr"], (RANGES[0], ((0.2,), (0.1,)))),
        "another key of the job": sweep_id(job(train__epochs=7), ["train.lr"], RANGES),
    }
    files.TRAIN.write_text("other rows")
    others["other rows"] = sweep_id(job(), ["train.lr"], RANGES)
    Path("pipeline/learning/loop.py").write_text("other code")
    others["other code"] = sweep_id(job(), ["train.lr"], RANGES)
    assert len({first, *others.values()}) == 1 + len(others)


def test_the_value_of_a_key_that_varies_does_not_count(data: Path) -> None:
    """`--apply` writes one, and the sweep must be known again afterwards."""
    first, second = job(train__lr=0.1), job(train__lr=0.2)
    assert sweep_id(first, ["train.lr"], RANGES) == sweep_id(second, ["train.lr"], RANGES)
    assert sweep_id(first, ["train.epochs"], ()) != sweep_id(second, ["train.epochs"], ())


def test_what_changes_no_figure_does_not_count(data: Path) -> None:
    other = job(tracking__experiment="another", evaluate__queries=[])
    assert sweep_id(job(), ["train.lr"], RANGES) == sweep_id(other, ["train.lr"], RANGES)


def test_the_run_of_a_sweep_is_kept_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    log = SweepLog("a" * 32)
    log.begin(resume=False)
    assert log.parent() is None
    log.append(outcomes(2))
    log.append_parent("1" * 32)
    log.append_parent("2" * 32)
    assert log.parent() == "2" * 32
    assert log.read() == outcomes(2)
    log.begin(resume=True)
    assert log.parent() == "2" * 32
    log.begin(resume=False)
    assert log.parent() is None


def test_what_was_tried_is_read_again_without_the_line_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    log, tried = SweepLog("a" * 32), outcomes(12)
    log.begin(resume=False)
    log.append(tried[:4])
    with log.path.open("a") as file:
        file.write('{"number": 5, "sett')
    log.append(tried[5:])
    assert log.read() == [*tried[:4], *tried[5:]]
    log.begin(resume=True)
    assert len(log.read()) == 11
    log.begin(resume=False)
    assert log.read() == []


def test_the_files_of_old_sweeps_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    for number in range(25):
        log = SweepLog(f"{number:032x}")
        log.begin(resume=False)
        log.append(outcomes(2))
    assert len(list(log.folder.iterdir())) == 20
    assert log.path.exists()

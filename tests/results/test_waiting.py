"""Results that wait for their store."""

from pathlib import Path

import pytest
from conftest import Checkout, job, job_text, tracked_runs
from stage_runs import is_complete, start_stages

from pipeline.results import waiting
from pipeline.results.place import run_md5
from pipeline.results.provenance import Origin
from pipeline.settings import files, processes
from pipeline.tracking import replay
from pipeline.tracking.outcome import Outcome


@pytest.mark.slow
def test_results_that_are_not_in_git_are_kept_until_they_are_tracked(workspace: Path) -> None:
    """Three results in one folder while the store is away: each has a run in the end."""
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    for lr in (0.01, 0.02, 0.03):
        Path("params.yaml").write_text(job_text(train__lr=lr))
        assert start_stages(checkout).count("warning: ") == 1
    assert len(list(waiting.results())) == 3
    lines, _ = replay.replay_missing(job().tracking)
    assert "".join(lines).count("run replayed from files") == 3
    runs = tracked_runs(workspace)
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02", "0.03"]
    assert all(is_complete(run) for run in runs)


IDENTITY = {"outs": {}, "params": {}, "training_id": "0" * 32}


def test_half_a_kept_result_is_removed_by_the_next_one(workspace: Path) -> None:
    """A folder with a common name stayed for ever, and two processes removed each other's."""
    folder = files.root() / waiting.RESULTS_FOLDER
    pid, start, machine = processes.mark().split("-")
    other = "1" * 32
    dead, alive = (folder / f"{other}.{pid}-{at}-{machine}.partial" for at in ("1", start))
    for each in (dead, alive):
        (each / "reports").mkdir(parents=True)
    for _ in range(2):
        waiting.keep(IDENTITY, Origin(name="", commit=None))
        assert sorted(folder.iterdir()) == sorted([alive, folder / run_md5(IDENTITY)])
    assert not dead.exists()


def test_a_result_that_another_process_keeps_meanwhile_is_kept(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def late(self: Path, target: Path) -> Path:
        if target.name == run_md5(IDENTITY):
            (target / "theirs").mkdir(parents=True)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", late)
    waiting.keep(IDENTITY, Origin(name="", commit=None))
    (place,) = waiting.results()
    assert place.folder is not None
    assert [path.name for path in place.folder.iterdir()] == ["theirs"]
    assert [path.name for path in place.folder.parent.iterdir()] == [place.md5]


def test_a_result_that_another_process_has_tracked_meanwhile_is_no_failure(workspace: Path) -> None:
    """One of two `track --all` at once said that a result could not be replayed."""
    waiting.keep(IDENTITY, Origin(name="", commit=None))
    (place,) = waiting.results()
    waiting.forget(place)
    waiting.forget(place)
    assert list(waiting.results()) == []
    outcome = Outcome()
    with outcome.noting(place):
        place.identity()
    assert outcome.lines() == []

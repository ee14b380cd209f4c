"""Runs that people changed in MLflow, and stores that fail: a line each, and nothing is undone."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commits import Repository, another, lock_text, nothing, replay_all
from commits import repository_fixture as repository_fixture
from conftest import Checkout, Clone, job, tracked_runs

from pipeline.results.place import Place
from pipeline.results.waiting import Waiting
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tracking import completion, lookup, outcome, replay, store
from pipeline.tracking.tags import COMMIT, RESULT


@pytest.mark.slow
def test_what_people_did_to_runs_is_left_as_it_is(repository: Repository) -> None:
    """Deleted, edited and moved runs: a line each, and nothing is written; no run comes back."""
    kept = ("reports", "models", "data")
    for number in range(4):
        repository.commit(repository.changed(another(f"x{number}", f"{number:032x}")), *kept)
    replay_all()
    runs = tracked_runs(repository.path)
    assert len(runs) == 4
    client = runs[0].client
    other = client.create_experiment("another project")
    deleted, edited, moved, same = runs
    # As if all had been made before the commits: each would get the tag of its commit.
    for run in runs:
        client.set_tag(run.id, COMMIT, "0" * 40)
    client.update_run(edited.id, "FAILED")
    client.delete_run(deleted.id)
    _move(repository.path, moved.id, other)
    before = {run.id: client.get_run(run.id).to_dictionary() for run in runs}

    printed = replay_all()
    back = "(`mlflow runs restore --run-id ID` brings one back)"
    assert f"1 run left alone, deleted {back}: {deleted.id}" in printed
    assert "1 run left alone, edited by hand" in printed
    assert (
        "1 run left alone, in the experiment 'another project', which params.yaml does not"
        in printed
    )
    after = {run.id: client.get_run(run.id).to_dictionary() for run in runs}
    assert [name for name in after if after[name] != before[name]] == [same.id]
    assert len(tracked_runs(repository.path)) == 2, "neither the deleted one nor the moved one"
    assert f"deleted in MLflow; `mlflow runs restore --run-id {deleted.id}`" in lookup.lineage_of(
        deleted.tags[COMMIT], job().tracking
    )


def _move(root: Path, run_id: str, experiment: str) -> None:
    with closing(sqlite3.connect(root / "mlflow.db")) as database:
        database.execute(
            "UPDATE runs SET experiment_id = ? WHERE run_uuid = ?", (experiment, run_id)
        )
        database.commit()


@pytest.mark.slow
def test_runs_of_a_deleted_experiment_do_not_come_back(repository: Repository) -> None:
    repository.commit(repository.changed(nothing), "reports", "models", "data")
    replay_all()
    assert len(tracked_runs(repository.path)) == 1
    opened = store.open_store("abline")
    opened.client.delete_experiment(opened.experiment_id)
    other = job(tracking__experiment="another").tracking
    lines, _ = replay.replay_missing(other, everything=True)
    back = f"`mlflow experiments restore --experiment-id {opened.experiment_id}` brings it back"
    assert back in "\n".join(lines)
    assert tracked_runs(repository.path, "another") == []


def _fails_once(work: Callable[..., str]) -> Callable[..., str]:
    """Return a function that fails when it is first called."""
    failed: list[bool] = []

    def try_it(*arguments: object) -> str:
        if not failed:
            failed.append(True)
            raise UserError("of this one alone")
        return work(*arguments)

    return try_it


@pytest.mark.slow
def test_a_store_that_fails_for_one_does_not_fail_for_all(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others have their runs; a store that fails for every result is not asked for hours."""
    for number in range(5):
        repository.commit(
            repository.changed(another(f"x{number}", f"{number:032x}")), "reports", "models", "data"
        )
    asked: list[str] = []
    log = "mlflow.MlflowClient.log_artifact"

    class BucketError(Exception):
        """Error of a bucket's client, whose class MLflow does not know."""

    def fail(client: object, run_id: str, *arguments: object) -> None:
        asked.append(run_id)
        raise BucketError("there is no such bucket")

    with monkeypatch.context() as patch:
        patch.setattr(log, fail)
        printed = replay_all()
    assert len(asked) == outcome.MOST_STORE_FAILURES
    assert "BucketError: there is no such bucket" in printed
    assert "the store failed 3 times in a row: 2 more not tried" in printed
    assert {run.status for run in tracked_runs(repository.path)} == {"KILLED"}
    head = repository.git("rev-parse", "HEAD~4")
    assert "not complete; `python -m pipeline.track --all` completes it" in lookup.lineage_of(
        head, job().tracking
    )
    with monkeypatch.context() as patch:
        patch.setattr(completion, "record", _fails_once(completion.record))
        printed = replay_all()
    assert printed.count("run completed") + printed.count("run replayed") == 4, printed
    assert replay_all().count("run completed") == 1
    runs = tracked_runs(repository.path)
    assert len(runs) == 5, "no twin beside any"
    assert all(run.status == "FINISHED" and "result_id" in run.tags for run in runs)
    head = repository.git("rev-parse", "HEAD~4")
    assert "FINISHED" in lookup.lineage_of(head, job().tracking)


@pytest.mark.slow
def test_what_dvc_pulls_has_its_run_when_asked(clone: Clone, tmp_path: Path) -> None:
    """`dvc repro --pull` takes the result for reproduced and runs no stage."""
    first = clone("first")
    first("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    first("dvc", "repro")
    first("git", "commit", "--quiet", "--all", "--message=a remote")
    first("dvc", "push")
    subprocess.run(["git", "clone", "--quiet", first.path, tmp_path / "fresh"], check=True)
    fresh = Checkout(tmp_path / "fresh")
    fresh("dvc", "repro", "--pull")
    fresh("python", "-m", "pipeline.track", "--all")
    ours = {run.tags[RESULT] for run in first.runs()}
    (run,) = [run for run in fresh.runs() if run.tags[RESULT] in ours]
    assert run.model_file() == (fresh.path / files.ONNX).read_bytes()


def history(*locks: str) -> dict[str, list[Place]]:
    """Return commits with these locks, oldest first."""
    places = [
        Place(f"{number:032}", text, before, commit=f"{number:040}")
        for number, (text, before) in enumerate(zip(locks, ("", *locks), strict=False))
    ]
    return {place.md5: [place] for place in places}


def left_out(places_by_md5: dict[str, list[Place]], head: int) -> list[int]:
    """Return the numbers of the results that are left out by default; `head` is checked out."""
    (place,) = places_by_md5[f"{head:032}"]
    return sorted(int(md5) for md5 in replay._unvaried(places_by_md5, places_by_md5, place))


def test_commits_that_changed_only_code_are_left_out() -> None:
    places_by_md5 = history(
        lock_text("a", lr=0.01),
        lock_text("b", lr=0.01),
        lock_text("c", lr=0.01, patience=None),  # a parameter that came with the code
        lock_text("d", lr=0.02, patience=None),
        lock_text("e", lr=0.02, patience=None),
        lock_text("f", lr=0.02, patience=None, data="2"),
        lock_text("g", lr=0.01, patience=None, data="2"),
        lock_text("h", lr=0.01, patience=None, data="2"),
    )
    assert left_out(places_by_md5, head=7) == [1, 2, 4]


def test_of_commits_with_equal_values_only_the_last_is_replayed() -> None:
    assert left_out(history(*(lock_text(code, lr=0.01) for code in "abcd")), head=3) == [0, 1, 2]
    assert left_out(history(lock_text("a", lr=0.01)), head=0) == []


def test_commits_that_changed_only_what_changes_no_figure_are_left_out() -> None:
    """The first commit of this repository has other tolerances, and the same model and figures."""
    old: dict[str, Any] = {"export.atol": 1e-6, "tracking.experiment": "old", "train.lr": 0.01}
    new: dict[str, Any] = old | {"export.atol": 0.0, "tracking.experiment": "new"}
    places_by_md5 = history(
        lock_text("a", "1", **old),
        lock_text("b", "1", **new),
        lock_text("c", "1", **new),
    )
    assert left_out(places_by_md5, head=2) == [0, 1]


def test_experiments_and_what_waits_are_never_left_out() -> None:
    places_by_md5 = history(lock_text("a", lr=0.01), lock_text("b", lr=0.01))
    same = lock_text("c", lr=0.01)
    places_by_md5["7" * 32] = [
        Place("7" * 32, same, same, commit="7" * 40, experiment="runty-erns")
    ]
    places_by_md5["8" * 32] = [Waiting("8" * 32, folder=Path("waiting"))]
    assert left_out(places_by_md5, head=1) == [0]

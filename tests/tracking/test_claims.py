"""A result completes the right run, and that run supersedes only the runs that it replaces."""

import sqlite3
from pathlib import Path

import pytest
from conftest import job, tracked_runs
from stage_runs import run_stages


@pytest.mark.slow
def test_a_forced_repeat_marks_the_older_run(workspace: Path) -> None:
    run_stages(job())
    run_stages(job())
    older, newer = tracked_runs(workspace)
    assert older.tags["superseded_by"] == newer.id
    assert older.name.startswith("superseded: ")
    assert older.tags["result_id"] == newer.tags["result_id"]


@pytest.mark.slow
def test_a_clock_that_was_ahead_hides_no_later_run(workspace: Path) -> None:
    """A run that began in the future does not count as newer than a run of today."""
    run_stages(job())
    (ahead,) = tracked_runs(workspace)
    with sqlite3.connect("mlflow.db") as database:
        database.execute("UPDATE runs SET start_time = start_time + 1000000000")
    database.close()
    run_stages(job())
    runs = tracked_runs(workspace)
    (today,) = [run for run in runs if run.id != ahead.id]
    assert len(runs) == 2
    assert "result_id" in today.tags
    assert next(run for run in runs if run.id == ahead.id).tags["superseded_by"] == today.id


@pytest.mark.slow
def test_the_newest_training_is_the_one_that_is_completed(workspace: Path) -> None:
    """Trainings without a result do not supersede a result when it is tracked again."""
    run_stages(job(), "generate", "train", "train", "evaluate", "export", "track")
    older, newer = tracked_runs(workspace)
    assert "result_id" in newer.tags
    assert older.tags["superseded_by"] == newer.id
    run_stages(job(), "track")
    assert "superseded_by" not in tracked_runs(workspace)[1].tags
    assert len(tracked_runs(workspace)) == 2


@pytest.mark.slow
def test_experiments_that_trained_alike_keep_a_run_each(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Queued experiments may differ only in their queries."""
    jobs = {"one": job(), "two": job(evaluate__queries=[[5.0]])}
    for name, params in jobs.items():
        monkeypatch.setenv("DVC_EXP_NAME", name)
        run_stages(params, "generate", "train")
    for name, params in jobs.items():
        monkeypatch.setenv("DVC_EXP_NAME", name)
        run_stages(params, "evaluate", "export", "track")
    runs = tracked_runs(workspace)
    assert [run.tags["dvc.experiment"] for run in runs] == ["one", "two"]
    assert [run.params["evaluate.queries"] for run in runs] == ["[[4.0]]", "[[5.0]]"]
    assert all("result_id" in run.tags for run in runs)
    assert not any("superseded_by" in run.tags for run in runs)


@pytest.mark.slow
def test_another_experiments_tags_do_not_stay(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment trains, evaluate fails, and plain `dvc repro` finishes the job."""
    with monkeypatch.context() as patch:
        patch.setenv("DVC_EXP_NAME", "oared-cree")
        run_stages(job(), "generate", "train")
    run_stages(job(), "evaluate", "export", "track")
    (run,) = tracked_runs(workspace)
    assert "dvc.experiment" not in run.tags
    assert "oared-cree" not in run.name

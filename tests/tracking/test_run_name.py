"""Names of runs say what differs, and are short enough for every store."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import cast

import pytest
from conftest import Clone, job, tracked_runs

from pipeline import evaluate, export, generate, track, train
from pipeline.results.provenance import Origin
from pipeline.settings import processes
from pipeline.tracking import run_name
from pipeline.tracking.store import Store
from pipeline.tracking.tags import COMMIT
from pipeline.tracking.training_run import TrainingRun


def test_a_long_name_is_cut_for_every_store(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes 250 letters and SQLite more: a run must not depend on its store."""
    here = Origin.here(job())
    monkeypatch.setattr(Origin, "here", lambda *_: replace(here, name="é" * 1000))
    run = TrainingRun(job(), "0" * 32, processes.identity(), 1)
    assert run.open()
    (tracked,) = tracked_runs(store_folder)
    assert tracked.name == "é" * 249 + "…"
    assert run_name.cut("a name") == "a name"


@pytest.mark.slow
def test_a_run_is_named_by_what_differs_from_the_one_before(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was committed: compared with the commit, eight parameters would differ."""
    generate.main(job())
    for lr in (0.01, 0.02):
        for stage in (train, evaluate, export, track):
            stage.main(job(train__lr=lr))
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("run ")]
    assert told == [
        "run completed: params not in git (no commit)",
        "run completed: train.lr=0.02 (no commit)",
    ]


def test_in_a_queue_a_run_is_named_by_what_differs_from_the_nearest_of_its_commit() -> None:
    """The run that ended before may be of another series, or of another commit."""
    mine, other = {"dvc.baseline": "a" * 40}, {"dvc.baseline": "b" * 40}
    earlier = [
        (other, {"train.lr": "0.02", "train.epochs": "1000", "train.momentum": "0.9"}),
        (mine, {"train.lr": "0.03", "train.epochs": "100", "train.momentum": "0.0"}),
        ({COMMIT: "a" * 40}, {"train.lr": "0.02", "train.epochs": "100"}),
        (mine, {"train.lr": "0.02", "train.epochs": "1000", "train.momentum": "0.0"}),
    ]
    runs = [Namespace(data=Namespace(tags=tags, params=params)) for tags, params in earlier]
    store = Namespace(client=Namespace(search_runs=lambda *_, **__: runs), experiment_id="1")
    values = {"train.lr": 0.02, "train.epochs": 1000, "train.momentum": 0.0}
    changes = {"train.lr": 0.02, "train.epochs": 1000}
    origin = Origin("", "a" * 40, baseline="a" * 40, place="mated-vies", changes=changes)
    named = run_name.shortened(cast(Store, store), origin, values, 0)
    assert named.name == "train.epochs=1000 (mated-vies)"
    alone = replace(origin, baseline="c" * 40)
    assert run_name.shortened(cast(Store, store), alone, values, 0) is alone


@pytest.mark.slow
def test_code_that_is_not_committed_shows_in_the_name(clone: Clone) -> None:
    checkout = clone("changed")
    with (checkout.path / "pipeline/learning/module.py").open("a") as file:
        file.write("# changed\n")
    checkout("dvc", "repro", "train")
    (run,) = checkout.runs()
    head = checkout("git", "rev-parse", "--short=7", "HEAD").strip()
    assert run.name == f"pipeline/learning/module.py changed ({head} + changes)"
    assert run.tags["git.changed_files"] == "pipeline/learning/module.py"

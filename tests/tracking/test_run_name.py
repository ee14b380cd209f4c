"""The names of runs."""

from dataclasses import replace
from pathlib import Path

import pytest
from conftest import job, tracked_runs

from pipeline.settings import processes
from pipeline.tracking import run_name
from pipeline.tracking.provenance import Origin
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

"""Results that wait for their store."""

from pathlib import Path

import pytest
from conftest import Checkout, job, job_text, tracked_runs
from stage_runs import is_complete, start_stages

from pipeline.results import waiting
from pipeline.tracking import replay


@pytest.mark.slow
def test_results_that_are_not_in_git_are_kept_until_they_are_tracked(workspace: Path) -> None:
    """One after the other takes the folder while the store is away: all have a run at last."""
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

"""Many experiments at once in one store: each has its whole run, and none waits for another."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from conftest import Clone, job, tracked_runs, wait_for_queue

from pipeline.tracking.live import LiveRun, live_run
from pipeline.tracking.wire import milliseconds

EPOCHS = 2000  # more than the store takes in one batch


def train_beside(run: LiveRun, training_id: str, losses: Sequence[float]) -> None:
    """Send what a training sends to its run."""
    run.begin(job(), training_id)
    for epoch, loss in enumerate(losses, 1):
        run.log_losses(epoch, loss, None, milliseconds())


def losses_of(number: int) -> list[float]:
    """Return losses that no other run has."""
    return [number + epoch / 4 for epoch in range(1, EPOCHS + 1)]


def write_run(number: int, start: Barrier) -> None:
    """Write one whole run, at the moment when all the others begin theirs."""
    start.wait()
    with live_run() as run:
        train_beside(run, f"{number:032x}", losses_of(number))


@pytest.mark.slow
def test_eight_trainings_may_open_a_fresh_store_at_once(workspace: Path) -> None:
    """No run is lost, doubled or mixed with another, whichever process makes the store."""
    # Fresh processes, as stages are: a copy of this one would share what it has open.
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(8)  # each has imported what it needs when it comes here
    writers = [context.Process(target=write_run, args=[number, start]) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * len(writers)
    runs = tracked_runs(workspace)
    assert [run.status for run in runs] == ["FINISHED"] * len(writers)
    losses = {int(run.tags["training_id"], 16): run.losses() for run in runs}
    steps = range(1, EPOCHS + 1)
    assert losses == {
        number: list(zip(steps, losses_of(number), strict=True)) for number in range(8)
    }


@pytest.mark.slow
def test_sixteen_queued_experiments_have_a_run_each(clone: Clone) -> None:
    """Two at a time into a store that is not there yet: no run is lost, doubled or half written."""
    checkout = clone("queue")
    rates = {f"{0.001 * number:.3f}" for number in range(1, 17)}
    checkout("dvc", "exp", "run", "--queue", "-S", f"train.lr={','.join(sorted(rates))}")
    try:
        checkout("dvc", "queue", "start", "--jobs", "2")
        printed = wait_for_queue(checkout)
    finally:
        checkout("dvc", "queue", "stop", "--kill")
    assert printed.count("Success") == len(rates), printed
    runs = checkout.all_runs()
    assert [run.status for run in runs] == ["FINISHED"] * len(rates)
    assert not any("superseded_by" in run.tags for run in runs)
    assert len({run.tags["result_id"] for run in runs}) == len(rates)
    assert {float(run.params["train.lr"]) for run in runs} == {float(rate) for rate in rates}
    names = checkout("dvc", "exp", "list", "--name-only").split()
    assert sorted(run.tags["dvc.experiment"] for run in runs) == sorted(names)
    for run in runs:
        assert [step for step, _ in run.losses()] == list(range(1, 101)), run.name
        assert run.model_file(), run.name

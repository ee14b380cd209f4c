"""Claim of a result on a run: the run that shows it, and the runs that this run supersedes."""

from contextlib import suppress
from typing import NamedTuple

from mlflow.entities import Run

from pipeline.results.provenance import Origin
from pipeline.settings import processes
from pipeline.tracking import run_name, tags
from pipeline.tracking.complete_runs import has_artifacts
from pipeline.tracking.result import Result
from pipeline.tracking.runs import is_abandoned, is_cut_short, runs_of_training
from pipeline.tracking.store import Store
from pipeline.tracking.wire import milliseconds

KNOWN, COMPLETED, REPLAYED = "known already", "completed", "replayed from files"
"""Actions on the run of a result, as a message names them."""


class Claim(NamedTuple):
    """The run that shows a result."""

    run: Run
    superseded: list[Run]
    """Runs that `run` replaces."""
    action: str
    """KNOWN, COMPLETED or REPLAYED."""


def claim(store: Store, result: Result, origin: Origin) -> Claim:
    """Choose the run that shows `result`, or create it, and claim it for this result alone."""
    result_id, training_id = result.identity["result_id"], result.identity["training_id"]
    chosen = _choose(runs_of_training(store, training_id), result, origin)
    if chosen is None:
        began = origin.time or milliseconds()
        values = tags.of_origin(origin)
        values |= {tags.TRAINING_ID: training_id, tags.RECORDER_PROCESS: processes.identity()}
        name = run_name.cut(origin.name)
        run = store.client.create_run(store.experiment_id, began, values, name)
        chosen = Claim(run, [], REPLAYED)
    run_id = chosen.run.info.run_id
    if tags.RESULT_ID in chosen.run.data.tags and tags.RESULT not in chosen.run.data.tags:
        store.client.set_tag(run_id, tags.RESULT, result.md5)  # earlier versions had no such tag
    if chosen.action != KNOWN:
        # Params cannot be changed once they are logged: now the run is this result's alone.
        store.client.set_tag(run_id, tags.CLAIMED_BY, result_id)
    return chosen


def _choose(runs: list[Run], result: Result, origin: Origin) -> Claim | None:
    """Return the run to complete, or the run that is complete already; None if there is neither.

    runs: the runs of the same training_id, newest first.
    """
    result_id = result.identity["result_id"]
    same = [run for run in runs if run.data.tags.get(tags.RESULT_ID) == result_id]
    # A completion that was cut short has claimed its run: only the same result may complete it.
    free = [
        run
        for run in runs
        if tags.RESULT_ID not in run.data.tags
        and (
            _is_half_made(run, result_id)
            or (tags.CLAIMED_BY not in run.data.tags and _is_over(run))
        )
    ]
    # Experiments that run at the same time may have equal trainings: each takes its own run first.
    own = [
        run
        for run in free
        if run.data.tags.get(tags.EXPERIMENT) == origin.experiment or _is_half_made(run, result_id)
    ]
    newest = next(iter(own or free), None)
    if newest is not None and newest.info.start_time > max(map(_start, same), default=-1):
        return Claim(newest, same + [run for run in own if run is not newest], COMPLETED)
    if not same:
        return None
    new_outputs = set(same[0].data.tags.get(tags.MISSING, "").split(", ")) - {"", *result.missing}
    is_known = not new_outputs and has_artifacts(same[0].info.artifact_uri)
    return Claim(same[0], [], KNOWN if is_known else COMPLETED)


def _is_over(run: Run) -> bool:
    """Return True if the training of a run has ended, or was cut short."""
    return run.info.status == "FINISHED" or is_cut_short(run)


def _is_half_made(run: Run, result_id: str) -> bool:
    """True if a completion of this result left the run half-made, and no process writes it."""
    values = run.data.tags
    ended = run.info.status != "RUNNING" or is_abandoned(run)
    return values.get(tags.CLAIMED_BY) == result_id and (
        ended or values.get(tags.RECORDER_PROCESS) == processes.identity()
    )


def _start(run: Run) -> int:
    """Return the start of a run in ms since 1970; -1 if it is in the future: a clock was ahead."""
    start = int(run.info.start_time)
    return start if start <= milliseconds() else -1


def leave_half_made(store: Store, run: Run, error: Exception) -> None:
    """Mark a run as KILLED if its completion failed; the next completion takes it up."""
    if run.info.status == "RUNNING":
        with suppress(Exception):  # the store may have failed
            reason = f"not complete: {str(error) or type(error).__name__}"
            store.client.set_tag(run.info.run_id, tags.REASON, reason[:1000])
            store.client.set_terminated(run.info.run_id, "KILLED")

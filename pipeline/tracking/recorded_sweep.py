"""A sweep whose outcomes are kept as they come: in its file, in the store and in the reports."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from pipeline.learning.outcomes import Outcome, best_first
from pipeline.pictures import sweep_plot
from pipeline.report import sweep_report
from pipeline.report.sweep_log import SweepLog, sweep_id
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tracking.sweep_runs import SweepTracking

SECONDS_BETWEEN_REPORTS = 10.0
"""While the sweep goes on: the reports of thousands of configurations take a second."""


class Sweep(Protocol):
    """What is tried.

    count: number of configurations, at most. metric: by which they are compared. command: what the
    person has written. description: how they are chosen, in words.
    """

    count: int
    metric: str
    command: str
    description: str

    @property
    def keys(self) -> Sequence[str]:
        """The keys that vary."""

    @property
    def depends_on(self) -> Sequence[Any]:
        """What the figures depend on, beside the job and its data."""

    def chunks(self, done: Mapping[int, Outcome]) -> Iterator[list[Outcome]]:
        """Return an iterator that trains what has no outcome yet, chunk by chunk.

        done: the outcomes that there are, by their numbers.
        """


def recorded(base: Params, sweep: Sweep, *, resume: bool) -> list[Outcome]:
    """Train the configurations and return their outcomes, in order.

    base: the job that they are variations of. resume: keep what the same sweep has tried before.
    However it ends, what was tried can be resumed, and is in the reports; after SIGKILL they may
    lack the last SECONDS_BETWEEN_REPORTS.
    """
    identity, metric = sweep_id(base, sweep.keys, sweep.depends_on), sweep.metric
    log = SweepLog(identity)
    done = {each.number: each for each in log.read()} if resume else {}
    chunks = sweep.chunks({**done})  # refuses what cannot be trained, before anything is written
    log.begin(resume=resume)
    for path in (files.SWEEP, files.SWEEP_PLOT):  # of the sweep before
        path.unlink(missing_ok=True)
    if resume:
        print(f"resumes after {len(done):,} of {sweep.count:,} configurations")
    tracking = SweepTracking(base, identity, sweep.command, sweep.description, log.parent())
    if tracking.parent is not None:
        log.append_parent(tracking.parent)
    try:
        _report(done, metric)
        tracking.write([*done.values()])
        next_report = 0.0
        for outcomes in chunks:
            log.append(outcomes)
            done |= {each.number: each for each in outcomes}
            if time.monotonic() >= next_report:
                _report(done, metric)
                next_report = time.monotonic() + SECONDS_BETWEEN_REPORTS
            tracking.write(outcomes)
    except BaseException as stop:
        tracking.stop(f"stopped after {len(done)} of {sweep.count} configurations")
        kept = f"{len(done):,} of {sweep.count:,} configurations are kept"
        if done and isinstance(stop, KeyboardInterrupt):
            stop.add_note(f"{kept}; with --resume the same command goes on")
        elif done:
            print(f"{kept} for --resume", file=sys.stderr)
        raise
    finally:
        ordered = _report(done, metric)
    tracking.end(next(iter(best_first(ordered, metric)), None))
    return ordered


def _report(done: Mapping[int, Outcome], metric: str) -> list[Outcome]:
    """Write the reports of the outcomes so far, if there are any; return them in order."""
    ordered = [done[number] for number in sorted(done)]
    if ordered:
        sweep_report.write_csv(files.SWEEP, ordered, metric)
        sweep_plot.draw(files.SWEEP_PLOT, ordered, metric)
    return ordered

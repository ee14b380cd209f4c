"""A sweep whose outcomes are kept as they come: in its file, in the store and in the reports."""

from collections.abc import Callable, Collection, Iterator, Sequence

from pipeline.learning.outcomes import Outcome, best_first
from pipeline.report import sweep_plot, sweep_report
from pipeline.report.sweep_log import SweepLog, sweep_id
from pipeline.settings import files
from pipeline.settings.configurations import Configurations
from pipeline.settings.params import Params
from pipeline.tracking.sweep_runs import Tracking

Train = Callable[[Collection[int]], Iterator[list[Outcome]]]
"""Function that trains what has no outcome yet, chunk by chunk. It gets the numbers that have."""


def recorded(
    base: Params,
    tried: Configurations,
    ranges: Sequence[str],
    metric: str,
    train: Train,
    *,
    resume: bool,
) -> list[Outcome]:
    """Train the configurations and return their outcomes, in order.

    base: the job that they are variations of. ranges: what the person has written, for the name of
    the run. resume: keep what the same sweep has tried before.
    However it ends, what was tried is in the reports and can be resumed.
    """
    identity = sweep_id(base, tried)
    log = SweepLog(identity)
    done = {each.number: each for each in log.read()} if resume else {}
    chunks = train(done)  # refuses what cannot be trained, before anything is written
    log.begin(resume=resume)
    if resume:
        print(f"resumes after {len(done):,} of {len(tried.params):,} configurations")
    tracking = Tracking(base, identity, ranges, resume=resume)
    try:
        tracking.write([*done.values()])
        for outcomes in chunks:
            log.append(outcomes)
            done |= {each.number: each for each in outcomes}
            tracking.write(outcomes)
    except BaseException:
        tracking.stop(f"stopped after {len(done)} of {len(tried.params)} configurations")
        raise
    finally:
        ordered = [done[number] for number in sorted(done)]
        if ordered:
            sweep_report.write_csv(files.SWEEP, ordered, metric)
            sweep_plot.draw(files.SWEEP_PLOT, ordered, metric)
    tracking.end(next(iter(best_first(ordered, metric)), None))
    return ordered

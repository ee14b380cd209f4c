"""Runs of a sweep: a parent, and a child for each configuration.

They are no results: the tag `sweep` tells them apart, and they have no training_id. Their settings,
figures and losses are in the sweep's own file, too, from which a resumed sweep writes those that
the store lacks.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mlflow.entities import Metric, Param, Run, RunTag

from pipeline.learning.outcomes import Outcome
from pipeline.results import provenance
from pipeline.results.provenance import Origin
from pipeline.settings import processes
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking import run_name
from pipeline.tracking.runs import METRICS_PER_BATCH, end_abandoned, log_params, param_text
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import explained
from pipeline.tracking.tags import (
    NOTE,
    PARENT,
    REASON,
    RECORDER_PROCESS,
    SWEEP,
    SWEEP_NUMBER,
    of_origin,
)
from pipeline.tracking.wire import milliseconds

RUNS_PER_PAGE = 1000
ENDED = ("FINISHED", "FAILED")
"""Status of a configuration's run that is whole."""
LATER = (
    "; the sweep goes on without its runs, and `--resume` writes them when the store works again"
)


class SweepTracking:
    """The runs of a sweep, or nothing once the store has failed: that stops no sweep.

    The arguments: see SweepRuns.begin. parent: the id of the parent; None if the store has failed.
    """

    def __init__(
        self, params: Params, sweep_id: str, command: str, description: str, earlier: str | None
    ) -> None:
        self._runs: SweepRuns | None = None
        with self._warned():
            self._runs = SweepRuns.begin(params, sweep_id, command, description, earlier)
        self.parent = self._runs.parent if self._runs else None

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write a run for each configuration that has none yet."""
        with self._warned():
            if self._runs is not None:
                self._runs.write(outcomes)

    def end(self, best: Outcome | None) -> None:
        """End the parent, with the figures and the settings of the best configuration."""
        with self._warned():
            if self._runs is not None:
                self._runs.end(best)

    def stop(self, reason: str) -> None:
        """End the parent of a sweep that was stopped."""
        with self._warned():
            if self._runs is not None:
                self._runs.stop(reason)

    @contextmanager
    def _warned(self) -> Iterator[None]:
        try:
            yield
        except UserError as error:
            self._runs = None
            print(f"warning: {error}{LATER}", file=sys.stderr)


class SweepRuns:
    """The runs of one sweep, in the experiment of the job."""

    def __init__(self, store: Store, sweep_id: str, parent: str) -> None:
        self.store, self.sweep_id, self.parent = store, sweep_id, parent
        self._written = self._finished()

    @classmethod
    def begin(
        cls, params: Params, sweep_id: str, command: str, description: str, earlier: str | None
    ) -> "SweepRuns":
        """Return the runs of a sweep: of the parent `earlier` if the store has it, or of a new one.

        params: the job that the configurations are variations of. command: the options of the
        sweep. description: how the configurations are chosen. earlier: the parent that this
        repository has written, where only one sweep runs at a time; in a shared store an equal
        sweep of another clone may run at this moment. Raises UserError if the store cannot be used.
        """
        store = open_store(params.tracking.experiment)
        end_abandoned(store)
        tags = of_origin(Origin.here(params)) | {
            SWEEP: sweep_id,
            RECORDER_PROCESS: processes.identity(),
            NOTE: f"`python -m pipeline.sweep {command}`: {description}",
        }
        with explained(store.uri):
            condition = f"attributes.run_id = '{earlier}' and tags.`{SWEEP}` = '{sweep_id}'"
            if earlier is not None and (its_runs := _search(store, condition)):
                parent = earlier
                if REASON in its_runs[0].data.tags:  # of its end
                    store.client.delete_tag(parent, REASON)
                store.client.log_batch(parent, tags=[RunTag(*tag) for tag in tags.items()])
                store.client.update_run(parent, "RUNNING")
            else:
                name = run_name.cut(f"sweep {command}")
                created = store.client.create_run(store.experiment_id, milliseconds(), tags, name)
                parent = str(created.info.run_id)
            return cls(store, sweep_id, parent)

    def _finished(self) -> set[int]:
        """Return the numbers of the configurations that have a whole run; delete the other runs."""
        finished = set()
        with explained(self.store.uri):
            for run in _search(self.store, f"tags.`{PARENT}` = '{self.parent}'"):
                if run.info.status in ENDED:
                    finished.add(int(run.data.tags.get(SWEEP_NUMBER, 0)))
                else:
                    self.store.client.delete_run(run.info.run_id)
        return finished

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Write a run for each configuration that has none yet."""
        with explained(self.store.uri):
            for outcome in outcomes:
                if outcome.number not in self._written:
                    self._write(outcome)
                    self._written.add(outcome.number)

    def _write(self, outcome: Outcome) -> None:
        client, now = self.store.client, milliseconds()
        tags = {
            SWEEP: self.sweep_id,
            SWEEP_NUMBER: f"{outcome.number}",
            PARENT: self.parent,
            RECORDER_PROCESS: processes.identity(),
        }
        if outcome.note:
            tags[REASON] = outcome.note[:1000]
        name = run_name.cut(f"{outcome.number}: {provenance.differences(outcome.settings)}")
        run_id = client.create_run(self.store.experiment_id, now, tags, name).info.run_id
        metrics = [Metric(key, value, now, 0) for key, value in outcome.figures.items()]
        metrics += [
            Metric("loss", loss, now, epoch)
            for epoch, loss in outcome.losses
            if math.isfinite(loss)
        ]
        params = [Param(key, param_text(value)) for key, value in outcome.settings.items()]
        client.log_batch(run_id, metrics[:METRICS_PER_BATCH], params[:100])
        client.set_terminated(run_id, "FINISHED" if outcome.figures else "FAILED")

    def end(self, best: Outcome | None) -> None:
        """End the parent, with the figures and the settings of the best configuration."""
        with explained(self.store.uri):
            if best is not None:
                now = milliseconds()
                metrics = [Metric(key, value, now, 0) for key, value in best.figures.items()]
                self.store.client.log_batch(self.parent, metrics)
                if not self.store.client.get_run(self.parent).data.params:
                    log_params(self.store, self.parent, best.settings)
            self.store.client.set_terminated(self.parent, "FINISHED")

    def stop(self, reason: str) -> None:
        """End the parent of a sweep that was stopped."""
        with explained(self.store.uri):
            self.store.client.set_tag(self.parent, REASON, reason)
            self.store.client.set_terminated(self.parent, "KILLED")


def _search(store: Store, condition: str) -> list[Run]:
    """Return the runs of the experiment that fulfil a condition, newest first."""
    runs: list[Run] = []
    token = None
    while token != "":
        page = store.client.search_runs(
            [store.experiment_id],
            condition,
            max_results=RUNS_PER_PAGE,
            order_by=["attributes.start_time DESC"],
            page_token=token,
        )
        runs += page
        token = page.token or ""
    return runs

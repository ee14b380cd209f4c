"""The MLflow run of a training, written while it trains."""

import time
from collections.abc import Mapping, Sequence

from mlflow.entities import Run, RunTag

from pipeline.results.provenance import Origin
from pipeline.settings import ids, processes
from pipeline.settings.params import Params
from pipeline.tracking import run_name
from pipeline.tracking.locks import lock
from pipeline.tracking.runs import (
    is_abandoned,
    is_cut_short,
    log_losses,
    log_params,
    logged_epochs,
    runs_of_training,
)
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import explained
from pipeline.tracking.tags import (
    CLAIMED_BY,
    REASON,
    RECORDER_PROCESS,
    TRAINING_ID,
    TRAINING_PROCESS,
    of_origin,
)
from pipeline.tracking.wire import TimedLosses, milliseconds

SECONDS_FOR_ANOTHER = 10.0  # for another recorder, to write how its training ended


class TrainingRun:
    """The run of one training.

    A method that failed may be called again: nothing is logged twice.
    """

    def __init__(self, params: Params, training_id: str, trainer: str, began: int) -> None:
        """trainer: identity of the training's process; began: its start in ms since 1970."""
        self.params = params
        self.training_id = training_id
        self.tags = {TRAINING_PROCESS: trainer, RECORDER_PROCESS: processes.identity()}
        self.began = began
        self.store: Store | None = None
        self.run_id = ""
        self.logged: set[int] = set()
        """Epochs that an earlier training has logged in this run and that were not sent again."""

    @property
    def is_open(self) -> bool:
        """True if there is a run in the store."""
        return bool(self.run_id)

    def open(self) -> bool:
        """Open the store and create the run, or take up the run of a training that was killed.

        The run gets the values that cannot change without retraining: the params of `train`,
        training_id and later the losses. Returns False if the training needs no run: it was killed
        already, and the next training has its own run.
        """
        if self.is_open:
            return True
        self.store = store = open_store(self.params.tracking.experiment)
        values = ids.stage_params("train", self.params)
        with explained(store.uri):
            origin = run_name.shortened(store, Origin.here(self.params), values, self.began)
        tags = of_origin(origin) | {TRAINING_ID: self.training_id} | self.tags
        deadline = time.monotonic() + SECONDS_FOR_ANOTHER
        with explained(store.uri):
            # The recorder of a training that was just killed may still write into the run that this
            # training is to take up.
            while not self.run_id:
                with lock():
                    runs = runs_of_training(store, self.training_id)
                    if processes.is_gone(self.tags[TRAINING_PROCESS]) and any(
                        map(self._is_later, runs)
                    ):
                        return False
                    if not any(map(self._is_ending, runs)) or time.monotonic() > deadline:
                        self.run_id = self._claim(store, runs, origin, tags)
                if not self.run_id:
                    time.sleep(0.1)
            log_params(store, self.run_id, values)
        return True

    def _is_later(self, run: Run) -> bool:
        """True if a run's training began or was still running after this one began."""
        moments = (run.info.start_time, run.info.end_time or 0)
        # A time in the future comes from a clock that was ahead.
        latest = max((each for each in moments if each <= milliseconds()), default=0)
        return latest > self.began or (run.info.status == "RUNNING" and not is_abandoned(run))

    def _is_ending(self, run: Run) -> bool:
        """True if another recorder is about to write how a run's training ended."""
        tags = run.data.tags
        return (
            run.info.status == "RUNNING"
            and {TRAINING_PROCESS, RECORDER_PROCESS} <= set(tags)
            and tags[RECORDER_PROCESS] != self.tags[RECORDER_PROCESS]
            and processes.is_gone(tags[TRAINING_PROCESS])
            and not processes.is_gone(tags[RECORDER_PROCESS])
        )

    def _claim(
        self, store: Store, runs: Sequence[Run], origin: Origin, tags: Mapping[str, str]
    ) -> str:
        """Return the id of the run to write into: one of `runs`, or a new one."""
        name = run_name.cut(origin.name)
        for run in runs:
            # This process may have made the run, and the store's answer may have been lost.
            is_own = run.data.tags.get(RECORDER_PROCESS) == self.tags[RECORDER_PROCESS]
            if is_own or (is_cut_short(run) and CLAIMED_BY not in run.data.tags):
                run_id = str(run.info.run_id)
                self.logged = logged_epochs(store, run_id)
                store.client.log_batch(run_id, tags=[RunTag(*tag) for tag in tags.items()])
                if REASON in run.data.tags:
                    store.client.delete_tag(run_id, REASON)
                store.client.update_run(run_id, "RUNNING", name)
                return run_id
        created = store.client.create_run(store.experiment_id, self.began, dict(tags), name)
        return str(created.info.run_id)

    def log(self, losses: Sequence[TimedLosses]) -> None:
        """Log the finite losses that the run does not have yet; step = epoch."""
        assert self.store is not None
        log_losses(self.store, self.run_id, [each for each in losses if each[0] not in self.logged])
        self.logged -= {each[0] for each in losses}  # the training sends each epoch once

    def end(self, now: int, status: str, reason: str) -> None:
        """End the run as FINISHED, KILLED or FAILED at `now`, with the reason if there is one."""
        assert self.store is not None
        with explained(self.store.uri):
            if reason:
                self.store.client.set_tag(self.run_id, REASON, reason[:1000])
            self.store.client.set_terminated(self.run_id, status, now)

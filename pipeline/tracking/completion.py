"""What a run holds: from its first moment, while it trains, and when `track` completes it.

MLflow is a view of the result, never its only copy: what a run shows can be rebuilt from files.
"""

import json
import posixpath
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from mlflow.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    Metric,
    Param,
    Run,
    RunTag,
    ViewType,
)
from mlflow.store.entities import PagedList

from pipeline.report import verdict
from pipeline.settings import files, ids, processes, safe_path
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of
from pipeline.settings.params import Params, Tracking
from pipeline.tracking import logged_model, provenance
from pipeline.tracking.live import Losses, Timed
from pipeline.tracking.provenance import Origin, milliseconds
from pipeline.tracking.store import Store, explained, lock, open_store, run_name

PARAMS_PER_BATCH = 100  # MLflow's limits
METRICS_PER_BATCH = 1000

RESULT = f"md5 {files.RUN}"
"""The tag of a complete run that says which result it shows, as dvc.lock does."""
OUTS = "outputs"
"""The tag with the md5 of each output as JSON, by path."""
UNREGISTERED = "not registered"
"""The tag of a run whose model became no version of the registered model: the reason."""
COMMIT, CHANGED = "mlflow.source.git.commit", "git.changed_files"
WHOLE = "result_id"
"""The tag of a complete run that is written last: nothing is left to do for it."""
TRAINING, RECORDER = "process.training", "process.recorder"
"""Tags: the processes behind a run that is not complete yet."""


T = TypeVar("T")


class TrainingRun:
    """The run of a training, written while it trains.

    Whatever fails may be tried again: nothing is logged twice.
    """

    def __init__(self, params: Params, training_id: str, trainer: str, began: int) -> None:
        """trainer: the identity of the training's process; began: when, in ms since 1970."""
        self.params = params
        self.training_id = training_id
        self.tags = {TRAINING: trainer, RECORDER: processes.identity()}
        self.began = began
        self.store: Store | None = None
        self.run_id = ""
        self.logged: set[int] = set()

    @property
    def is_open(self) -> bool:
        """Whether there is a run in the store."""
        return bool(self.run_id)

    def open(self) -> bool:
        """Open the store and create the run in it, or take up that of a training that was killed.

        The run holds what cannot change without retraining: the params of `train`, training_id and
        the losses to come. Says whether there is one: a training that was killed already needs none
        if the next one has its own.
        """
        if self.is_open:
            return True
        self.store = store = open_store(self.params.tracking.experiment)
        values = ids.stage_params("train", self.params)
        with explained(store.uri):
            origin = _named(store, Origin.here(self.params), values, self.began)
        tags = origin.tags() | {"training_id": self.training_id} | self.tags
        deadline = time.monotonic() + 10
        with explained(store.uri):
            # What is said last of a training just killed is waited for: it may need a run yet.
            while not self.run_id:
                with lock():
                    runs = _runs_of(store, self.training_id)
                    if processes.is_gone(self.tags[TRAINING]) and any(map(self._is_next, runs)):
                        return False
                    if not any(map(self._is_ending, runs)) or time.monotonic() > deadline:
                        self.run_id = self._claim(store, runs, origin, tags)
                if not self.run_id:
                    time.sleep(0.1)
            _log_params(store, self.run_id, values)
        return True

    def _is_next(self, run: Run) -> bool:
        """Whether a run is that of a training which began, or went on, after this one."""
        moments = (run.info.start_time, run.info.end_time or 0)
        # Those to come are of a clock that was ahead.
        latest = max((each for each in moments if each <= milliseconds()), default=0)
        return latest > self.began or (run.info.status == "RUNNING" and not _is_left(run))

    def _is_ending(self, run: Run) -> bool:
        """Whether another process is about to write how a training ended."""
        tags = run.data.tags
        return (
            run.info.status == "RUNNING"
            and {TRAINING, RECORDER} <= set(tags)
            and tags[RECORDER] != self.tags[RECORDER]
            and processes.is_gone(tags[TRAINING])
            and not processes.is_gone(tags[RECORDER])
        )

    def _claim(
        self, store: Store, runs: Sequence[Run], origin: Origin, tags: Mapping[str, str]
    ) -> str:
        """The id of the run to write into: one there is already, or a new one."""
        for run in runs:
            # The answer to our own request may have been lost on its way.
            ours = run.data.tags.get(RECORDER) == self.tags[RECORDER]
            if ours or (_is_cut_short(run) and "claimed_by" not in run.data.tags):
                run_id = str(run.info.run_id)
                self.logged = steps(store, run_id)
                store.client.log_batch(run_id, tags=[RunTag(*tag) for tag in tags.items()])
                if "reason" in run.data.tags:
                    store.client.delete_tag(run_id, "reason")
                store.client.update_run(run_id, "RUNNING", run_name(origin.name))
                return run_id
        name = run_name(origin.name)
        created = store.client.create_run(store.experiment_id, self.began, dict(tags), name)
        return str(created.info.run_id)

    def log(self, losses: Sequence[Timed]) -> None:
        """Log the finite losses that the run does not have yet; step = epoch."""
        assert self.store is not None
        new = [each for each in losses if each[0] not in self.logged]
        log_losses(self.store, self.run_id, new)
        self.logged -= {each[0] for each in losses}  # each comes once, so nobody asks again

    def end(self, now: int, status: str, reason: str) -> None:
        """End the run as FINISHED, KILLED or FAILED at `now`, with the reason if there is one."""
        assert self.store is not None
        with explained(self.store.uri):
            if reason:
                self.store.client.set_tag(self.run_id, "reason", reason[:1000])
            self.store.client.set_terminated(self.run_id, status, now)


def outs(run: Run) -> dict[str, str]:
    """Return the md5 of each output of a complete run's result, by path.

    Older runs have a tag for each output in place of one for all.
    """
    tags = run.data.tags
    with suppress(KeyError, ValueError, TypeError):
        return dict(json.loads(tags[OUTS]))
    return {key[4:]: md5 for key, md5 in tags.items() if key.startswith("md5 ") and key != RESULT}


def _outs_tag(outs: Mapping[str, str]) -> dict[str, str]:
    return {OUTS: json.dumps(outs, ensure_ascii=False)}


def _runs_of(store: Store, training_id: str) -> list[Run]:
    """The runs of a training, newest first, without those whose place another has taken."""
    found = store.client.search_runs(
        [store.experiment_id],
        f"tags.training_id = '{training_id}'",
        order_by=["attributes.start_time DESC"],
    )
    return [run for run in found if "superseded_by" not in run.data.tags]


def _is_cut_short(run: Run) -> bool:
    """Whether a run was left before its training had ended, and nobody writes it any more."""
    if RESULT in run.data.tags or WHOLE in run.data.tags:
        return False
    return run.info.status in ("KILLED", "RUNNING") and _is_left(run)


def _is_left(run: Run) -> bool:
    """Whether the processes behind a run are known to be gone."""
    named = [run.data.tags[tag] for tag in (TRAINING, RECORDER) if tag in run.data.tags]
    return all(map(processes.is_gone, named)) and (bool(named) or run.info.status == "KILLED")


@dataclass(frozen=True)
class Known:
    """A run that shows a whole result, in whatever state somebody has put it since."""

    run: Run
    experiment: Experiment

    @property
    def is_deleted(self) -> bool:
        """True if somebody has deleted it, or its experiment."""
        stages = (self.run.info.lifecycle_stage, self.experiment.lifecycle_stage)
        return "deleted" in stages

    @property
    def is_edited(self) -> bool:
        """Whether it says what only a person can have written."""
        ids = [self.run.data.tags.get(key, "") for key in ("training_id", "result_id")]
        return self.run.info.status != "FINISHED" or not all(map(safe_path.is_id, ids))


def complete_runs(store: Store) -> dict[str, Known]:
    """The complete runs of all experiments in the store, by the md5 of their result's run.json.

    Those that somebody has deleted are among them, where no other shows the result: they are not to
    come back by themselves. Those whose files are gone are not.
    """
    known: dict[str, Known] = {}
    with explained(store.uri):
        among = {each.experiment_id: each for each in experiments(store)}
        # Whatever its status says: the tag is written last, and a person may change the status.
        marked = f"tags.{WHOLE} LIKE '%'"
        for run in _pages(
            lambda page: store.client.search_runs(
                list(among), marked, ViewType.ALL, 5000, page_token=page
            )
        ):
            tags = run.data.tags
            each = Known(run, among[run.info.experiment_id])
            if RESULT not in tags or "superseded_by" in tags:
                continue
            if not (each.is_deleted or _is_there(run.info.artifact_uri)):
                continue
            before = known.get(tags[RESULT])
            if before is None or (before.is_deleted and not each.is_deleted):
                known[tags[RESULT]] = each
    return known


def experiments(store: Store) -> Iterator[Experiment]:
    """All experiments in a store, deleted ones too."""
    search = store.client.search_experiments
    return _pages(lambda page: search(ViewType.ALL, page_token=page))


def _pages(search: Callable[[str | None], PagedList[T]]) -> Iterator[T]:
    """All that a search of MLflow's gives, page by page."""
    page = None
    while page != "":
        part = search(page)
        yield from part
        page = part.token or ""


def _is_there(place: str) -> bool:
    """Whether a folder of artifacts is there; those behind a server are taken to be."""
    address = urlsplit(place)
    return address.scheme != "file" or Path(unquote(address.path)).is_dir()


def settle(store: Store) -> int:
    """Mark runs as KILLED that say RUNNING though their process is gone, and give their number."""
    with explained(store.uri):
        running = store.client.search_runs([store.experiment_id], "attributes.status = 'RUNNING'")
        left = [run for run in running if _is_left(run)]
        for run in left:
            store.client.set_tag(run.info.run_id, "reason", "its process is gone")
            store.client.set_terminated(run.info.run_id, "KILLED")
    return len(left)


def steps(store: Store, run_id: str) -> set[int]:
    """The epochs whose loss a run has."""
    return {metric.step for metric in store.client.get_metric_history(run_id, "loss")}


def log_losses(store: Store, run_id: str, losses: Sequence[Timed]) -> None:
    """Log finite losses, each with its epoch as step."""
    metrics = [
        Metric(name, value, milliseconds, epoch)
        for epoch, loss, test_loss, milliseconds in losses
        for name, value in (("loss", loss), ("test_loss", test_loss))
        if value is not None
    ]
    with explained(store.uri):
        for start in range(0, len(metrics), METRICS_PER_BATCH):
            store.client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_BATCH])


@dataclass(frozen=True)
class Result:
    """All that a complete run shows, as read from files by `track`."""

    identity: Mapping[str, Any]
    """The content of run.json."""
    md5: str
    """That of run.json: the result's name in dvc.lock."""
    losses: Sequence[Losses]
    metrics: Mapping[str, float]
    """Dotted names and values."""
    folder: Path
    """Where its files are."""
    artifacts: Sequence[Path]
    """Files and folders to keep with the run, relative to `folder`."""
    onnx_file: bytes | None
    """None if it is not at hand."""
    contract: bytes | None
    """The content of contract.json; None if it is not at hand."""
    example: Sequence[float]
    """The numbers of an input row, and any after it; empty if there is no query."""
    verified: bool
    """Whether verification.json speaks of this very ONNX file."""
    requirements: Sequence[str]
    """Pinned packages that answer with the model."""
    data: Mapping[str, Dataset]
    """The tables, by what they are for: training, test."""
    missing: Sequence[str]
    """Outputs that are not at hand."""


def record(settings: Tracking, result: Result, origin: Origin) -> str:
    """See that the store has one complete run of `result`; say in a few words what was done.

    The newest training of its training_id that no other result has claimed is completed, if it is
    newer than the result's own run, which it then supersedes together with the same experiment's
    trainings that came to nothing. It may be one that was killed: what it has not logged is in the
    result. Where there is no such training, and no run of the result either, a run is replayed from
    the files. The tag result_id, written last of all, says that nothing is left to do.
    Raises UserError if no store can take the result, and UserError or OSError if the store fails;
    what it has written then is taken up next time.
    """
    _check_names(result)
    store = open_store(settings.experiment)
    settle(store)
    # One process completes a result; whoever holds the other lock claims a run for it.
    with lock(f"result-{result.md5[:2]}"), explained(store.uri):
        with lock():
            run, older, did = _claim(store, result, origin)
        if did == KNOWN:
            return f"run known already: {run.info.run_name}"
        origin = _named(store, origin, result.identity["params"], run.info.start_time)
        told = ""
        try:
            _complete(store, run, result, origin)
            if settings.model_name is not None and result.verified:
                told = _register(store, run, result, origin, settings.model_name)
            for each in older:
                _supersede(store, each, run)
            _mark_whole(store, run, result)
        except Exception as error:
            _leave_half_made(store, run, error)
            raise
    return f"run {did}: {origin.name}{told}"


KNOWN, COMPLETED, REPLAYED = "known already", "completed", "replayed from files"


def _claim(store: Store, result: Result, origin: Origin) -> tuple[Run, list[Run], str]:
    """The run to complete, those whose place it takes, and what will have been done with it."""
    result_id, training_id = result.identity["result_id"], result.identity["training_id"]
    runs = _runs_of(store, training_id)
    same = [run for run in runs if run.data.tags.get(WHOLE) == result_id]
    # A completion that was cut short has claimed its run: only its own result goes on with it.
    free = [
        run
        for run in runs
        if WHOLE not in run.data.tags
        and (_is_half_made(run, result_id) or ("claimed_by" not in run.data.tags and _is_over(run)))
    ]
    # Experiments that run side by side may have trained alike: each takes its own run first.
    own = [
        run
        for run in free
        if run.data.tags.get("dvc.experiment") == origin.experiment or _is_half_made(run, result_id)
    ]
    newest = next(iter(own or free), None)
    known_since = max(map(_start, same), default=-1)
    if newest is not None and newest.info.start_time > known_since:
        older = same + [run for run in own if run is not newest]
        did = COMPLETED
    elif same:
        newest, older = same[0], []
        new = set(newest.data.tags.get(MISSING, "").split(", ")) - {"", *result.missing}
        did = COMPLETED if new or not _is_there(newest.info.artifact_uri) else KNOWN
        if RESULT not in newest.data.tags:  # of a time before there was such a tag
            store.client.set_tag(newest.info.run_id, RESULT, result.md5)
    else:
        made = origin.time or milliseconds()
        tags = origin.tags() | {"training_id": training_id, RECORDER: processes.identity()}
        name = run_name(origin.name)
        newest = store.client.create_run(store.experiment_id, made, tags, name)
        older, did = [], REPLAYED
    if did != KNOWN:
        # Params cannot be changed once logged: from now on the run is this result's alone.
        store.client.set_tag(newest.info.run_id, "claimed_by", result_id)
    return newest, older, did


def _named(store: Store, origin: Origin, values: Mapping[str, Any], began: int) -> Origin:
    """Return `origin` with the shorter name: what differs from the commit, or from an earlier run.

    Whoever has changed eight parameters and commits nothing varies one of them from run to run. Of
    the last 20 runs of the same commit, the one with the fewest differences is meant: in a queue,
    the run that ended before may be of another series.
    began: when the run began, in ms since 1970.
    """
    if not origin.place or (origin.changes is not None and len(origin.changes) < 2):
        return origin
    earlier = store.client.search_runs(
        [store.experiment_id],
        f"tags.result_id != '' and attributes.start_time < {began}",
        order_by=["attributes.start_time DESC"],
        max_results=100,
    )
    base = origin.baseline or origin.commit
    of_base = [
        run.data.params
        for run in earlier
        if (run.data.tags.get("dvc.baseline") or run.data.tags.get(COMMIT)) == base
    ]
    shown = {key: _cut(provenance.short(value)) for key, value in values.items()}
    differences = [
        {key: values[key] for key in values if then.get(key, shown[key]) != shown[key]}
        for then in of_base[:20]
    ]
    changes = min(filter(None, differences), key=len, default=None)
    if changes is None or (origin.changes is not None and len(origin.changes) <= len(changes)):
        return origin
    return replace(origin, name=f"{provenance.differences(changes)} ({origin.place})")


def _is_over(run: Run) -> bool:
    """True if the training of a run has ended, or was cut short."""
    return run.info.status == "FINISHED" or _is_cut_short(run)


def _is_half_made(run: Run, result_id: str) -> bool:
    """Whether a run is what a completion of this very result has left, and nobody writes it."""
    tags = run.data.tags
    ended = run.info.status != "RUNNING" or _is_left(run)
    return tags.get("claimed_by") == result_id and (
        ended or tags.get(RECORDER) == processes.identity()
    )


def _start(run: Run) -> int:
    """When a run began; -1 if that is yet to come, because some clock was ahead."""
    start = int(run.info.start_time)
    return start if start <= milliseconds() else -1


def _leave_half_made(store: Store, run: Run, error: Exception) -> None:
    """Let a run that was to be completed not say RUNNING; the next completion takes it up."""
    if run.info.status == "RUNNING":
        with suppress(Exception):  # the store may be what has failed
            why = str(error) or type(error).__name__
            reason = f"not complete: {why}"[:1000]
            store.client.set_tag(run.info.run_id, "reason", reason)
            store.client.set_terminated(run.info.run_id, "KILLED")


def _supersede(store: Store, older: Run, newer: Run) -> None:
    """Mark a run whose place a newer one has taken."""
    store.client.set_tag(older.info.run_id, "superseded_by", newer.info.run_id)
    store.client.update_run(older.info.run_id, name=run_name(f"superseded: {older.info.run_name}"))


def _complete(store: Store, run: Run, result: Result, origin: Origin) -> None:
    """Add to a run all that it lacks of `result`.

    Whatever was logged by a completion that was cut short is not logged again. A run that was whole
    once keeps its name and its description, which somebody may have changed.
    """
    client, run_id = store.client, run.info.run_id
    was_whole = WHOLE in run.data.tags
    if not was_whole:
        client.update_run(run_id, name=run_name(origin.name))
    # The end of the training as time stamp: a completion that is repeated adds no second value.
    # A replayed run has none but its start: its end is when a completion that was cut short ended.
    ended = run.info.end_time if TRAINING in run.data.tags else None
    moment = ended or run.info.start_time
    if run.info.status != "FINISHED":
        has = steps(store, run_id)
        lacks = [(*losses, moment) for losses in result.losses if losses[0] not in has]
        log_losses(store, run_id, lacks)
        if "reason" in run.data.tags:
            client.delete_tag(run_id, "reason")
    _log_params(store, run_id, result.identity["params"])
    metrics = [
        Metric(name, value, moment, 0) for name, value in _metric_names(result.metrics).items()
    ]
    tags = origin.tags() | _outs_tag(result.identity["outs"]) | {RESULT: result.md5}
    if not was_whole:
        tags["mlflow.note.content"] = _note(result, origin)
    client.log_batch(run_id, metrics=metrics, tags=[RunTag(*tag) for tag in tags.items()])
    for tag in set(origin.TAGS) & set(run.data.tags) - set(tags):
        client.delete_tag(run_id, tag)  # of the experiment that trained, if this is another
    client.log_inputs(
        run_id,
        [
            DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
            for context, dataset in result.data.items()
        ],
    )
    for path in result.artifacts:
        log = client.log_artifacts if (result.folder / path).is_dir() else client.log_artifact
        log(run_id, str(result.folder / path), _parent(result.folder, path))
    # A completion that was cut short may have come this far.
    model = logged_model.of_run(store, run_id)
    if result.onnx_file is not None and (model is None or not _is_there(model.artifact_location)):
        logged_model.log(
            store,
            run_id,
            result.onnx_file,
            result.contract,
            result.example,
            result.requirements,
            model,
        )
    if ended is None and run.info.end_time is None:
        client.update_run(run_id, "FINISHED")  # replayed: how long it took is not known
    else:
        client.set_terminated(run_id, "FINISHED", moment)


def _mark_whole(store: Store, run: Run, result: Result) -> None:
    """Say at last that a run has all of `result` that is at hand, and what is not."""
    client, run_id = store.client, run.info.run_id
    if result.missing:
        client.set_tag(run_id, MISSING, ", ".join(result.missing))
    elif MISSING in run.data.tags:
        client.delete_tag(run_id, MISSING)
    client.set_tag(run_id, WHOLE, result.identity["result_id"])


MISSING = "missing"
"""The tag of a run that lacks what was not in DVC's cache when it was replayed."""


def _register(store: Store, run: Run, result: Result, origin: Origin, name: str) -> str:
    """Make the run's model a version of the registered model `name`, and say why if it is not."""
    if (worse := _worse_than_the_mean(result.metrics)) is not None:
        store.client.set_tag(run.info.run_id, UNREGISTERED, worse)
        return f"; no version of {name}, because {worse}"
    model = logged_model.of_run(store, run.info.run_id)
    if model is not None:
        ids = {key: result.identity[key] for key in ("training_id", "result_id")}
        tags = ids | origin.tags() | _outs_tag(result.identity["outs"])
        run = store.client.get_run(run.info.run_id)
        logged_model.register(store.client, run, model, name, result.metrics, tags)
    return ""


def _worse_than_the_mean(metrics: Mapping[str, float]) -> str | None:
    return verdict.worse_than_the_mean(metrics.get("train.r2"), metrics.get("test.r2"))


def _note(result: Result, origin: Origin) -> str:
    """The run's description: its figures and the way back to it."""
    identity = result.identity
    back = (
        f"`git checkout {origin.commit[:12]}`, the parameters of this run and "
        if origin.commit
        else ""
    )
    changed = [path for path in origin.changed if path != "params.yaml"]
    if origin.commit and changed:
        named = first_of([f"`{path}`" for path in changed], 10)
        back += f"changes that were not committed ({named}) and "
    if origin.changes:
        values = ", ".join(f"`{provenance.differences({k: v})}`" for k, v in origin.changes.items())
        differs = f"Other values than in the commit: {values}.\n\n"
    else:
        differs = ""
    rows = list(result.metrics.items())[:30]
    figures = "\n".join(f"| {name} | {value:g} |" for name, value in rows)
    worse = _worse_than_the_mean(result.metrics)
    warning = f"**Take care: {worse}.**\n\n" if worse else ""
    return (
        f"{warning}Made by {back}`dvc repro`.\n\n{differs}"
        f"model.safetensors md5 `{identity['outs'].get(str(files.MODEL), 'unknown')}`,"
        f" training_id `{identity['training_id']}`, result_id `{identity['result_id']}`.\n\n"
        f"| metric | value |\n|---|---|\n{figures}\n"
    )


def _log_params(store: Store, run_id: str, values: Mapping[str, Any]) -> None:
    params = [Param(key, _cut(provenance.short(value))) for key, value in values.items()]
    for start in range(0, len(params), PARAMS_PER_BATCH):
        store.client.log_batch(run_id, params=params[start : start + PARAMS_PER_BATCH])


def _cut(text: str, longest: int = 500) -> str:
    """A long value is one that nobody reads in a table: params.yaml, an artifact, has it all."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def _metric_names(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics under names that MLflow takes: letters, digits and a few signs, and not too many.

    A column may be called anything; names that come out the same are told apart by a number.
    """
    named: dict[str, float] = {}
    for name, value in metrics.items():
        plain = re.sub(r"[^\w.\- :]", "_", name)[:200]
        number = 2
        unique = plain
        while unique in named:
            unique, number = f"{plain} {number}", number + 1
        named[unique] = value
    return named


_NAME = re.compile(r"(?!/|\.\.|\.$)[\w.\-/ :]{1,250}")
"""What MLflow takes as the name of a parameter or a metric, with one more rule: see _is_name."""
LONGEST_TAG = 8000


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and posixpath.normpath(name) == name


def _is_half(name: str) -> bool:
    """Whether a name has a part of a character, which JSON can write, and nothing else."""
    return any("\ud800" <= letter <= "\udfff" for letter in name)


def _check_names(result: Result) -> None:
    """Raise UserError if a store would refuse a part of a result after it has made its run."""
    names = [("parameter", name) for name in result.identity["params"]]
    names += [("metric", name) for name in _metric_names(result.metrics)]
    wrong = [f"the {kind} {name[:80]!r}" for kind, name in names if not _is_name(name)]
    # The description has the metrics' names as they are, and no database takes half a character.
    wrong += [f"the metric {name[:80]!r}" for name in result.metrics if _is_half(name)]
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise UserError(f"MLflow takes no such name: {', '.join(wrong[:5])}{more}")
    if len(_outs_tag(result.identity["outs"])[OUTS]) > LONGEST_TAG:
        raise UserError(
            f"it has {len(result.identity['outs'])} outputs, whose list is longer than the"
            f" {LONGEST_TAG} letters that MLflow takes"
        )


def _parent(folder: Path, path: Path) -> str | None:
    place = path if (folder / path).is_dir() else path.parent
    return None if place == Path() else place.as_posix()

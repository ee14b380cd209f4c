"""What a run holds: from its first moment, while it trains, and when `track` completes it.

MLflow is a view of the result, never its only copy: what a run shows can be rebuilt from files.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from mlflow.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    Metric,
    Run,
    RunTag,
    ViewType,
)
from mlflow.store.entities import PagedList

from pipeline.report import verdict
from pipeline.settings import files, processes, safe_path
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of
from pipeline.settings.params import Tracking
from pipeline.tracking import logged_model, provenance, run_name
from pipeline.tracking.provenance import Origin
from pipeline.tracking.runs import (
    end_abandoned,
    is_abandoned,
    is_cut_short,
    log_losses,
    log_params,
    logged_epochs,
    runs_of_training,
)
from pipeline.tracking.store import Store, explained, lock, open_store
from pipeline.tracking.tags import (
    CLAIMED_BY,
    DATA_CONTEXT,
    EXPERIMENT,
    MISSING,
    NOTE,
    OUTS,
    REASON,
    RECORDER_PROCESS,
    RESULT,
    RESULT_ID,
    SUPERSEDED_BY,
    TRAINING_ID,
    TRAINING_PROCESS,
    UNREGISTERED,
)
from pipeline.tracking.wire import Losses, milliseconds

T = TypeVar("T")


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
        ids = [self.run.data.tags.get(key, "") for key in (TRAINING_ID, RESULT_ID)]
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
        marked = f"tags.{RESULT_ID} LIKE '%'"
        for run in _pages(
            lambda page: store.client.search_runs(
                list(among), marked, ViewType.ALL, 5000, page_token=page
            )
        ):
            tags = run.data.tags
            each = Known(run, among[run.info.experiment_id])
            if RESULT not in tags or SUPERSEDED_BY in tags:
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
    end_abandoned(store)
    # One process completes a result; whoever holds the other lock claims a run for it.
    with lock(f"result-{result.md5[:2]}"), explained(store.uri):
        with lock():
            run, older, did = _claim(store, result, origin)
        if did == KNOWN:
            return f"run known already: {run.info.run_name}"
        origin = run_name.shortest(store, origin, result.identity["params"], run.info.start_time)
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
    runs = runs_of_training(store, training_id)
    same = [run for run in runs if run.data.tags.get(RESULT_ID) == result_id]
    # A completion that was cut short has claimed its run: only its own result goes on with it.
    free = [
        run
        for run in runs
        if RESULT_ID not in run.data.tags
        and (_is_half_made(run, result_id) or (CLAIMED_BY not in run.data.tags and _is_over(run)))
    ]
    # Experiments that run side by side may have trained alike: each takes its own run first.
    own = [
        run
        for run in free
        if run.data.tags.get(EXPERIMENT) == origin.experiment or _is_half_made(run, result_id)
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
        tags = origin.tags() | {TRAINING_ID: training_id, RECORDER_PROCESS: processes.identity()}
        name = run_name.cut(origin.name)
        newest = store.client.create_run(store.experiment_id, made, tags, name)
        older, did = [], REPLAYED
    if did != KNOWN:
        # Params cannot be changed once logged: from now on the run is this result's alone.
        store.client.set_tag(newest.info.run_id, CLAIMED_BY, result_id)
    return newest, older, did


def _is_over(run: Run) -> bool:
    """True if the training of a run has ended, or was cut short."""
    return run.info.status == "FINISHED" or is_cut_short(run)


def _is_half_made(run: Run, result_id: str) -> bool:
    """Whether a run is what a completion of this very result has left, and nobody writes it."""
    tags = run.data.tags
    ended = run.info.status != "RUNNING" or is_abandoned(run)
    return tags.get(CLAIMED_BY) == result_id and (
        ended or tags.get(RECORDER_PROCESS) == processes.identity()
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
            store.client.set_tag(run.info.run_id, REASON, reason)
            store.client.set_terminated(run.info.run_id, "KILLED")


def _supersede(store: Store, older: Run, newer: Run) -> None:
    """Mark a run whose place a newer one has taken."""
    store.client.set_tag(older.info.run_id, SUPERSEDED_BY, newer.info.run_id)
    store.client.update_run(
        older.info.run_id, name=run_name.cut(f"superseded: {older.info.run_name}")
    )


def _complete(store: Store, run: Run, result: Result, origin: Origin) -> None:
    """Add to a run all that it lacks of `result`.

    Whatever was logged by a completion that was cut short is not logged again. A run that was whole
    once keeps its name and its description, which somebody may have changed.
    """
    client, run_id = store.client, run.info.run_id
    was_whole = RESULT_ID in run.data.tags
    if not was_whole:
        client.update_run(run_id, name=run_name.cut(origin.name))
    # The end of the training as time stamp: a completion that is repeated adds no second value.
    # A replayed run has none but its start: its end is when a completion that was cut short ended.
    ended = run.info.end_time if TRAINING_PROCESS in run.data.tags else None
    moment = ended or run.info.start_time
    if run.info.status != "FINISHED":
        has = logged_epochs(store, run_id)
        lacks = [(*losses, moment) for losses in result.losses if losses[0] not in has]
        log_losses(store, run_id, lacks)
        if REASON in run.data.tags:
            client.delete_tag(run_id, REASON)
    log_params(store, run_id, result.identity["params"])
    metrics = [
        Metric(name, value, moment, 0) for name, value in _metric_names(result.metrics).items()
    ]
    tags = origin.tags() | _outs_tag(result.identity["outs"]) | {RESULT: result.md5}
    if not was_whole:
        tags[NOTE] = _note(result, origin)
    client.log_batch(run_id, metrics=metrics, tags=[RunTag(*tag) for tag in tags.items()])
    for tag in set(origin.TAGS) & set(run.data.tags) - set(tags):
        client.delete_tag(run_id, tag)  # of the experiment that trained, if this is another
    client.log_inputs(
        run_id,
        [
            DatasetInput(dataset, [InputTag(DATA_CONTEXT, context)])
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
    client.set_tag(run_id, RESULT_ID, result.identity["result_id"])


def _register(store: Store, run: Run, result: Result, origin: Origin, name: str) -> str:
    """Make the run's model a version of the registered model `name`, and say why if it is not."""
    if (worse := _worse_than_the_mean(result.metrics)) is not None:
        store.client.set_tag(run.info.run_id, UNREGISTERED, worse)
        return f"; no version of {name}, because {worse}"
    model = logged_model.of_run(store, run.info.run_id)
    if model is not None:
        ids = {TRAINING_ID: result.identity["training_id"], RESULT_ID: result.identity["result_id"]}
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

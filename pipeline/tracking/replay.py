"""Replay results: make the runs that the store lacks, for `track --all` and `make ui`.

Results come from git and from DVC's cache, wherever they were made: after `dvc pull` and
`dvc exp pull` a fresh clone shows the whole team's results.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack

from mlflow.entities import Run
from tqdm import tqdm

from pipeline.results import dvc_cache, lock_file, places, waiting
from pipeline.results.gathering import gathered, reading, undeclared_outs
from pipeline.results.place import Place
from pipeline.settings.messages import count
from pipeline.settings.params import Tracking
from pipeline.tracking import complete_runs, completion, result, runs, tags
from pipeline.tracking.complete_runs import CompleteRun
from pipeline.tracking.moved_store import put_aside
from pipeline.tracking.outcome import MOST_STORE_FAILURES, Outcome
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import MovedError, explained


def replay_missing(settings: Tracking, everything: bool = False) -> tuple[list[str], int]:
    """Make the runs that the store lacks; return lines to print and the number of other results.

    everything: False leaves out commits that changed neither a parameter nor a table: a history of
    changed code would fill the page with equal results.
    A result that cannot be replayed does not stop the others.
    Raises UserError if the store cannot be used.
    """
    lines = []
    try:
        store = open_store(settings.experiment)
    except MovedError as moved:
        if not everything:
            raise
        lines.append(put_aside(moved, settings.experiment))
        store = open_store(settings.experiment)
    if killed := runs.end_abandoned(store):
        lines.append(f"{count(killed, 'run')} marked KILLED: their processes are gone")
    tracked = complete_runs.by_result(store)
    all_places = places.everywhere()
    outcome = Outcome()
    todo: dict[str, list[Place]] = {}
    for md5, same_places in all_places.items():
        with outcome.noting(same_places[0]):
            complete = tracked.get(md5)
            if complete is None or _can_get_more(complete.run, same_places[0]):
                todo[md5] = same_places
            elif (reason := _why_left_alone(complete, same_places, settings)) is not None:
                outcome.left_alone.setdefault(reason, []).append(_label(complete))
            else:
                _update_origin(store, complete.run, same_places)
                _forget_waiting(same_places)
    if not everything:
        outcome.left_out = _unvaried(all_places, todo, places.at("HEAD"))
    wanted = [same_places for md5, same_places in todo.items() if md5 not in outcome.left_out]
    for number, same_places in enumerate(tqdm(wanted, "runs", unit=" runs", delay=1, disable=None)):
        with outcome.noting(same_places[0]):
            _replay(settings, _best(same_places), outcome)
            _forget_waiting(same_places)
        if outcome.store_failures == MOST_STORE_FAILURES:
            outcome.not_tried = len(wanted) - number - 1
            break
    return lines + outcome.lines(), len(all_places) - len(todo)


def _forget_waiting(same_places: Sequence[Place]) -> None:
    """Remove the files of a result that waited for its run."""
    for place in same_places:
        waiting.forget(place)


def _unvaried(
    all_places: Mapping[str, Sequence[Place]], todo: Iterable[str], head: Place | None
) -> set[str]:
    """Return the results of `todo` that are only in commits that changed no parameter and no table.

    head: the result of the commit that is checked out, which is never returned. The first commit's
    result is compared with it.
    """

    def is_unvaried(place: Place) -> bool:
        if place.commit is None or place.experiment is not None:
            return False
        before = place.before or (head.lock if head is not None else "")
        return bool(before) and not lock_file.differs(place.lock, before)

    shown = head.md5 if head is not None else None
    return {md5 for md5 in todo if md5 != shown and all(map(is_unvaried, all_places[md5]))}


def _can_get_more(run: Run, place: Place) -> bool:
    """Return True if DVC's cache has an output that a complete run lacks."""
    missing = [path for path in run.data.tags.get(tags.MISSING, "").split(", ") if path]
    outs = place.identity()["outs"] if missing else {}
    return any(dvc_cache.has(outs[path]) for path in missing if path in outs)


def _why_left_alone(
    complete: CompleteRun, same_places: Sequence[Place], settings: Tracking
) -> str | None:
    """Return how a person has changed a run, and how to undo it; None if nobody has changed it."""
    name, number = complete.experiment.name, complete.experiment.experiment_id
    if complete.experiment.lifecycle_stage == "deleted":
        return (
            f"deleted with the experiment {name!r} (`mlflow experiments restore"
            f" --experiment-id {number}` brings it back)"
        )
    if complete.is_deleted:
        return "deleted (`mlflow runs restore --run-id ID` brings one back)"
    if complete.is_edited:
        return (
            "edited by hand (`mlflow runs delete --run-id ID`, then `python -m pipeline.track`"
            " in the result's folder, makes a new one)"
        )
    if name != settings.experiment and not any(
        place.settings(settings).experiment == name for place in same_places
    ):
        return (
            f"in the experiment {name!r}, which params.yaml does not name (set"
            f" tracking.experiment to {name!r} to continue with it)"
        )
    return None


def _label(complete: CompleteRun) -> str:
    """Return the id of a deleted run, with which it can be restored, else the run's name."""
    info = complete.run.info
    deleted_alone = complete.is_deleted and complete.experiment.lifecycle_stage != "deleted"
    return str(info.run_id if deleted_alone else info.run_name)


def _update_origin(store: Store, run: Run, same_places: Sequence[Place]) -> None:
    """Add the commit and the experiment that a result has by now to the tags of its run."""
    new: dict[str, str] = {}
    committed = [place for place in same_places if place.commit is not None]
    if committed and run.data.tags.get(tags.COMMIT) not in [place.commit for place in committed]:
        # The run was made before the commit.
        best = _best(committed)
        changed = tags.file_list(best.changed)
        new |= {tags.COMMIT: str(best.commit), tags.CHANGED: changed}
    experiments = [place.experiment for place in committed if place.experiment]
    if experiments and run.data.tags.get(tags.EXPERIMENT) not in experiments:
        new |= {tags.EXPERIMENT: experiments[0]}
    with explained(store.uri):
        for tag, value in new.items():
            store.client.set_tag(run.info.run_id, tag, value)


def _best(same_places: Sequence[Place]) -> Place:
    """Return the first place whose commit has exactly the code of the result, else the first place.

    Raises UserError if its dvc.lock is damaged.
    """
    return next(
        (place for place in same_places if place.commit and not place.changed), same_places[0]
    )


def _replay(settings: Tracking, place: Place, outcome: Outcome) -> None:
    """Make the run of a result; note it, and the outputs that the run lacks.

    Raises UserError if the result's files are not what this pipeline writes.
    """
    identity = place.identity()
    with ExitStack() as opened:
        with reading():
            folder, missing = opened.enter_context(gathered(place, identity))
            replayed = result.read(folder, identity, place.md5, missing)
        done = completion.record(place.settings(settings), replayed, place.origin())
        outcome.done.append(done)
    for path in missing:
        outcome.missing.setdefault(path, []).append(place)
    if paths := undeclared_outs(identity):
        outcome.undeclared.setdefault(", ".join(paths), []).append(place)

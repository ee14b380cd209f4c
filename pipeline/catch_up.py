"""See that every result there is has one complete run: what `track --all` and `make ui` do.

Results come from git and from DVC's cache, wherever they were made: after `dvc pull` and
`dvc exp pull` a fresh clone shows what the whole team has tried.
"""

from collections.abc import Iterable, Mapping, Sequence

from mlflow.entities import Run
from tqdm import tqdm

from pipeline import UserError, lineage, results, tracking
from pipeline.mistakes import count
from pipeline.params import Tracking
from pipeline.results import Place
from pipeline.store import MovedError, Store, explained, open_store, renew
from pipeline.track import read_result

SHOWN = 8  # of a list: the rest is counted


def catch_up(settings: Tracking, everything: bool = False) -> tuple[list[str], int]:
    """Make the runs that the store lacks.

    Of commits only those that changed a parameter or a table, unless `everything` is asked for: a
    history of changed code would fill the page with equal results.
    Gives lines that say what was done and what could not be, and how many results had their runs.
    Raises UserError if the store cannot be used.
    """
    told = []
    try:
        store = open_store(settings.experiment)
    except MovedError as moved:
        renew(moved)
        told.append(f"{moved.place} was made in {moved.old}: it names this folder now")
        store = open_store(settings.experiment)
    if left := tracking.settle(store):
        told.append(f"{count(left, 'run')} marked KILLED: their processes are gone")
    runs = tracking.complete_runs(store)
    found = results.everywhere()
    added: list[str] = []
    failed: dict[str, list[Place]] = {}
    lacking: dict[str, list[Place]] = {}
    todo = {md5: places for md5, places in found.items() if not _is_known(store, runs, md5, places)}
    left_out = set() if everything else _unvaried(found, todo, results.at("HEAD"))
    asked_for = [places for md5, places in todo.items() if md5 not in left_out]
    for places in tqdm(asked_for, "runs", unit=" runs", delay=1, disable=None):
        place = places[0]
        try:
            place = _best(places)
            missing, did = _replay(settings, place)
        except UserError as error:
            failed.setdefault(str(error), []).append(place)
            continue
        if missing:
            lacking.setdefault(", ".join(missing), []).append(place)
        added.append(did)
        for each in places:
            results.forget(each)
    told += _first(added)
    for paths, where in lacking.items():
        told.append(f"without {paths}, which DVC's cache lacks{_cure(where)}:")
        told.append(f"  {', '.join(_first([str(place) for place in where]))}")
    for why, where in failed.items():
        told.append(f"could not be replayed, because {why}{_cure(where)}:")
        told.append(f"  {', '.join(_first([str(place) for place in where]))}")
    if left_out:
        told.append(
            f"without {count(len(left_out), 'result')} of commits that changed neither parameters"
            " nor data; `python -m pipeline.track --all` replays all there are"
        )
    return told, len(found) - len(todo)


def _unvaried(
    found: Mapping[str, Sequence[Place]], todo: Iterable[str], head: Place | None
) -> set[str]:
    """Return the results of `todo` that only commits have which changed no parameter and no table.

    head: the result of the commit that is checked out. It is never among them, and the first commit
    is if it has the same values.
    """

    def is_unvaried(place: Place) -> bool:
        if place.commit is None or place.experiment is not None:
            return False
        before = place.before or (head.lock if head is not None else "")
        return bool(before) and not results.varies(place.lock, before)

    shown = head.md5 if head is not None else None
    return {md5 for md5 in todo if md5 != shown and all(map(is_unvaried, found[md5]))}


def _is_known(store: Store, runs: Mapping[str, Run], md5: str, places: Sequence[Place]) -> bool:
    """Whether a result has its run, with all that is at hand; bring up to date whence it comes."""
    run = runs.get(md5)
    if run is None:
        return False
    tags = run.data.tags
    lacks = [path for path in tags.get(tracking.MISSING, "").split(", ") if path]
    outs = tracking.outs(run)
    if any(results.is_cached(outs[path]) for path in lacks if path in outs):
        return False
    new: dict[str, str] = {}
    held = [place for place in places if place.commit is not None]
    if held and tags.get(tracking.COMMIT) not in [place.commit for place in held]:
        # It was made before it was committed, from code that only now has a commit.
        best = _best(held)
        changed = ", ".join(best.changed)[:5000] or "none"
        new |= {tracking.COMMIT: str(best.commit), tracking.CHANGED: changed}
    named = [place.experiment for place in held if place.experiment]
    if named and tags.get("dvc.experiment") not in named:
        new |= {"dvc.experiment": named[0]}
    with explained(store.uri):
        for tag, value in new.items():
            store.client.set_tag(run.info.run_id, tag, value)
    for place in places:
        results.forget(place)
    return True


def _best(places: Sequence[Place]) -> Place:
    """The first place whose commit has the very code that made the result, if there is one."""
    return next((place for place in places if place.commit and not place.changed), places[0])


def _replay(settings: Tracking, place: Place) -> tuple[Sequence[str], str]:
    """Make the run of a result: what it lacks, and what was done."""
    identity = place.identity()
    with results.gathered(place, identity) as (folder, missing):
        result = read_result(folder, identity, place.md5, missing)
        did = tracking.record(place.settings(settings), result, place.origin())
    return missing, did


def _cure(places: Sequence[Place]) -> str:
    """Return what may bring the files of results, in brackets; nothing where there is no remote."""
    if not results.has_remote():
        return ""
    commands = []
    experiments = [place.experiment for place in places if place.experiment is not None]
    if len(experiments) < len(places):
        commands.append("`dvc fetch --all-commits`")
    if experiments and (remotes := lineage.git("remote")):
        commands.append(f"`dvc exp pull {remotes.split()[0]} {' '.join(experiments)}`")
    return f" ({' and '.join(commands)} may bring them)" if commands else ""


def _first(items: Sequence[str]) -> list[str]:
    """The first of many items, and how many more there are."""
    more = [f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else []
    return [*items[:SHOWN], *more]

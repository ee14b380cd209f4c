"""See that every result there is has one complete run: what `track --all` and `make ui` do.

Results come from git and from DVC's cache, wherever they were made: after `dvc pull` and
`dvc exp pull` a fresh clone shows what the whole team has tried.
"""

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from mlflow.entities import Run
from tqdm import tqdm

from pipeline.settings import runner
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_lines, first_of
from pipeline.settings.params import Tracking
from pipeline.track import read_result
from pipeline.tracking import completion, provenance, results
from pipeline.tracking.completion import Known
from pipeline.tracking.results import LackingError, Place
from pipeline.tracking.runs import end_abandoned
from pipeline.tracking.store import MovedError, Store, explained, open_store, renew
from pipeline.tracking.store_check import StoreError
from pipeline.tracking.tags import CHANGED, COMMIT, EXPERIMENT, MISSING

SHOWN = 8  # of a list: the rest is counted
PATIENCE = 3  # with a store that fails for one result after the other, each after a minute or so


def catch_up(settings: Tracking, everything: bool = False) -> tuple[list[str], int]:
    """Make the runs that the store lacks.

    Of commits only those that changed a parameter or a table, unless `everything` is asked for: a
    history of changed code would fill the page with equal results.
    Gives lines that say what was done and what could not be, and how many results had their runs.
    Whatever is wrong with a result is told, and the others have their runs.
    Raises UserError if the store cannot be used.
    """
    told = []
    try:
        store = open_store(settings.experiment)
    except MovedError as moved:
        renew(moved)
        told.append(f"{moved.place} was made in {moved.old}: it names this folder now")
        store = open_store(settings.experiment)
    if left := end_abandoned(store):
        told.append(f"{count(left, 'run')} marked KILLED: their processes are gone")
    runs = completion.complete_runs(store)
    found = results.everywhere()
    news = News()
    todo: dict[str, list[Place]] = {}
    for md5, places in found.items():
        with news.told_of(places[0]):
            known = runs.get(md5)
            if known is None or _has_more(known.run, places[0]):
                todo[md5] = places
            elif not news.leaves_alone(known, places, settings):
                _update_origin(store, known.run, places)
    if not everything:
        news.left_out = _unvaried(found, todo, results.at("HEAD"))
    asked_for = [places for md5, places in todo.items() if md5 not in news.left_out]
    for number, places in enumerate(tqdm(asked_for, "runs", unit=" runs", delay=1, disable=None)):
        with news.told_of(places[0]):
            _replay(settings, _best(places), news)
            for each in places:
                results.forget(each)
        if news.store_failures == PATIENCE:
            news.not_tried = len(asked_for) - number - 1
            break
    return told + news.lines(), len(found) - len(todo)


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


class News:
    """Outcome for each result."""

    def __init__(self) -> None:
        self.added: list[str] = []
        self.lacking: dict[str, list[Place]] = {}
        """Places by the outputs that their runs lack."""
        self.undeclared: dict[str, list[Place]] = {}
        """Places by the outputs that dvc.yaml does not declare here."""
        self.failed: dict[str, list[Place]] = {}
        """Places by what is wrong with them."""
        self.absent: dict[str, list[Place]] = {}
        """Places by the files without which there is no run."""
        self.left_alone: dict[str, list[str]] = {}
        """Runs by what somebody has done to them, and how they come back."""
        self.left_out: set[str] = set()
        """Results that were not asked for."""
        self.store_failures = 0
        """How often in a row the store has failed."""
        self.not_tried = 0

    @contextmanager
    def told_of(self, place: Place) -> Iterator[None]:
        """Take note of what is wrong with one result, and go on."""
        try:
            yield
            self.store_failures = 0
        except Exception as error:
            if results.is_forgotten(place):
                return
            if isinstance(error, LackingError):
                self.absent.setdefault(str(error), []).append(place)
                return
            # What is nobody's mistake is ours: it is told by its name, to be found.
            ours = f"{type(error).__name__}: {error}; this should not happen"
            self.failed.setdefault(runner.told(error) or ours, []).append(place)
            self.store_failures = self.store_failures + 1 if isinstance(error, StoreError) else 0

    def leaves_alone(self, known: Known, places: Sequence[Place], settings: Tracking) -> bool:
        """Take note of a run that a person has changed; say whether it is one."""
        run, experiment = known.run, known.experiment
        name, number = experiment.name, experiment.experiment_id
        if experiment.lifecycle_stage == "deleted":
            back = f"deleted with the experiment {name!r} (`mlflow experiments restore"
            back += f" --experiment-id {number}` brings it back)"
        elif known.is_deleted:
            back = "deleted (`mlflow runs restore --run-id ID` brings one back)"
            self.left_alone.setdefault(back, []).append(run.info.run_id)
            return True
        elif known.is_edited:
            back = "edited by hand (`mlflow runs delete --run-id ID`, then `python -m"
            back += " pipeline.track` where the result is, makes one anew)"
        elif name != settings.experiment and not any(
            place.settings(settings).experiment == name for place in places
        ):
            back = f"in the experiment {name!r}, which params.yaml does not name (set"
            back += f" tracking.experiment to {name!r} to go on with it)"
        else:
            return False
        self.left_alone.setdefault(back, []).append(run.info.run_name)
        return True

    def lines(self) -> list[str]:
        """All of it, for the person who asked."""
        told = first_lines(self.added, SHOWN)
        for why, where in self.lacking.items():
            be = "are" if ", " in why else "is"
            cure = _cure(where) or "nothing to do"
            told.append(f"{_runs_lack(where)} {why}, which {be} not in DVC's cache; {cure}")
        for why, where in self.absent.items():
            cure = f" ({_cure(where)})" if _cure(where) else ""
            told.append(f"could not be replayed, because {why}{cure}:")
            told.append(_listed(where))
        for paths, where in self.undeclared.items():
            told.append(f"{_runs_lack(where)} {paths}, which dvc.yaml here does not declare")
        for why, where in self.failed.items():
            told += [f"could not be replayed, because {why}:", _listed(where)]
        if self.left_out:
            told.append(
                f"left out {count(len(self.left_out), 'result')} of commits that changed neither"
                " parameters nor data; nothing to do (`python -m pipeline.track --all` adds a run"
                " for each)"
            )
        if self.not_tried:
            told.append(
                f"the store failed {PATIENCE} times in a row: {self.not_tried} more not tried"
            )
        for why, names in self.left_alone.items():
            told.append(f"{count(len(names), 'run')} left alone, {why}: {first_of(names, SHOWN)}")
        return told


def _has_more(run: Run, place: Place) -> bool:
    """Whether DVC's cache has what a complete run lacks."""
    lacks = [path for path in run.data.tags.get(MISSING, "").split(", ") if path]
    outs = place.identity()["outs"] if lacks else {}
    return any(results.is_cached(outs[path]) for path in lacks if path in outs)


def _update_origin(store: Store, run: Run, places: Sequence[Place]) -> None:
    """Let a complete run name the commit and the experiment that its result has by now."""
    tags = run.data.tags
    new: dict[str, str] = {}
    held = [place for place in places if place.commit is not None]
    if held and tags.get(COMMIT) not in [place.commit for place in held]:
        # It was made before it was committed, from code that only now has a commit.
        best = _best(held)
        changed = provenance.changed_tag(best.changed)
        new |= {COMMIT: str(best.commit), CHANGED: changed}
    named = [place.experiment for place in held if place.experiment]
    if named and tags.get(EXPERIMENT) not in named:
        new |= {EXPERIMENT: named[0]}
    with explained(store.uri):
        for tag, value in new.items():
            store.client.set_tag(run.info.run_id, tag, value)
    for place in places:
        results.forget(place)


def _best(places: Sequence[Place]) -> Place:
    """The first place whose commit has the very code that made the result, if there is one.

    Raises UserError if its dvc.lock is damaged.
    """
    return next((place for place in places if place.commit and not place.changed), places[0])


def _replay(settings: Tracking, place: Place, news: News) -> None:
    """Make the run of a result, and take note of what it lacks and of what was done.

    Raises UserError if its files are not what this pipeline writes.
    """
    identity = place.identity()
    with ExitStack() as opened:
        with _reading():
            folder, missing = opened.enter_context(results.gathered(place, identity))
            result = read_result(folder, identity, place.md5, missing)
        news.added.append(completion.record(place.settings(settings), result, place.origin()))
    if missing:
        news.lacking.setdefault(", ".join(missing), []).append(place)
    if undeclared := results.undeclared(identity):
        news.undeclared.setdefault(", ".join(undeclared), []).append(place)


@contextmanager
def _reading() -> Iterator[None]:
    """Raise UserError for whatever a stranger's file leads to; a disk's own failure stays one."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise
        # An OSError would name a temporary folder.
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(
            f"its files are not what this pipeline writes ({type(error).__name__}: {why})"
        ) from error


_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.ENFILE}


def _cure(places: Sequence[Place]) -> str:
    """Return the commands that may bring the files of results; nothing where there is no remote."""
    _, has_remote = results.dvc()
    if not has_remote:
        return ""
    commands = []
    experiments = [place.experiment for place in places if place.experiment is not None]
    if len(experiments) < len(places):
        commands.append("`dvc fetch --all-commits`")
    if experiments and (remotes := provenance.git("remote")):
        commands.append(f"`dvc exp pull {remotes.split()[0]} {' '.join(experiments)}`")
    return f"{' and '.join(commands)} may bring them" if commands else ""


def _listed(places: Sequence[Place]) -> str:
    return f"  {first_of([str(place) for place in places], SHOWN)}"


def _runs_lack(places: Sequence[Place]) -> str:
    """Return the beginning of a sentence about what the runs of results lack."""
    return (
        f"{_listed(places).strip()}: {'its run lacks' if len(places) == 1 else 'their runs lack'}"
    )

"""Outcome of a replay for each result, and the lines that say it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.results import waiting
from pipeline.results.gathering import fetch_advice
from pipeline.results.place import Place
from pipeline.settings import runner
from pipeline.settings.messages import count, first_lines, first_of
from pipeline.tracking.result import MissingFilesError
from pipeline.tracking.store_failures import StoreError

MOST_ITEMS_SHOWN = 8
"""Items of a list that are printed; the others are counted."""
MOST_STORE_FAILURES = 3
"""Failures of the store in a row, each of which takes a minute or so, until the replay ends."""


class Outcome:
    """Outcome for each result."""

    def __init__(self) -> None:
        self.done: list[str] = []
        """A line for each run that was made or completed."""
        self.missing: dict[str, list[Place]] = {}
        """Places by the output that their runs lack."""
        self.undeclared: dict[str, list[Place]] = {}
        """Places by the outputs that dvc.yaml does not declare here."""
        self.failed: dict[str, list[Place]] = {}
        """Places by the reason why they have no run."""
        self.without_files: dict[str, list[Place]] = {}
        """Places by the files without which there is no run."""
        self.left_alone: dict[str, list[str]] = {}
        """Runs by the change that a person made, and how to undo it."""
        self.left_out: set[str] = set()
        """Results that were not asked for."""
        self.store_failures = 0
        """Failures of the store in a row."""
        self.not_tried = 0

    @contextmanager
    def noting(self, place: Place) -> Iterator[None]:
        """Note the error that one result causes in the block, so that the others are replayed."""
        try:
            yield
            self.store_failures = 0
        except Exception as error:
            if waiting.is_forgotten(place):
                return
            if isinstance(error, MissingFilesError):
                self.without_files.setdefault(str(error), []).append(place)
                return
            # An error that no user can fix is ours: its class and text help to find it.
            ours = f"{type(error).__name__}: {error}; this should not happen"
            self.failed.setdefault(runner.message(error) or ours, []).append(place)
            self.store_failures = self.store_failures + 1 if isinstance(error, StoreError) else 0

    def lines(self) -> list[str]:
        """Return the lines to print."""
        lines = first_lines(self.done, MOST_ITEMS_SHOWN)
        if self.missing:
            lines.append(_missing_line(self.missing))
        for reason, places in self.without_files.items():
            advice = f" ({fetch_advice(places)})" if fetch_advice(places) else ""
            lines += [
                f"could not be replayed, because {reason}{advice}:",
                f"  {_place_names(places)}",
            ]
        for paths, places in self.undeclared.items():
            lines.append(f"{_runs_lack(places)} {paths}, which dvc.yaml here does not declare")
        for reason, places in self.failed.items():
            lines += [f"could not be replayed, because {reason}:", f"  {_place_names(places)}"]
        if self.left_out:
            lines.append(
                f"left out {count(len(self.left_out), 'result')} of commits that changed neither"
                " parameters nor data, which are not needed to compare (`python -m pipeline.track"
                " --all` adds a run for each)"
            )
        if self.not_tried:
            lines.append(
                f"the store failed {MOST_STORE_FAILURES} times in a row: {self.not_tried} more not"
                " tried"
            )
        for reason, runs in self.left_alone.items():
            names = first_of(runs, MOST_ITEMS_SHOWN)
            lines.append(f"{count(len(runs), 'run')} left alone, {reason}: {names}")
        return lines


def _missing_line(missing: dict[str, list[Place]]) -> str:
    """Return one line for all runs that lack outputs: code of many ages has many sets of them."""
    places = list(dict.fromkeys(place for each in missing.values() for place in each))
    some_of = "" if all(len(each) == len(places) for each in missing.values()) else " some of"
    are, them = ("are", "them") if len(missing) > 1 else ("is", "it")
    advice = fetch_advice(places) or (
        f"there is no remote to fetch {them} from, and no harm: `git checkout` of such a commit and"
        f" `dvc repro` make {them} again"
    )
    return (
        f"{_runs_lack(places)}{some_of} {', '.join(missing)}, which {are} not in DVC's cache;"
        f" {advice}"
    )


def _place_names(places: Sequence[Place]) -> str:
    return first_of([str(place) for place in places], MOST_ITEMS_SHOWN)


def _runs_lack(places: Sequence[Place]) -> str:
    """Return the beginning of a sentence about outputs that the runs of results lack."""
    return f"{_place_names(places)}: {'its run lacks' if len(places) == 1 else 'their runs lack'}"

"""Outcome of a replay for each result, and the lines that tell the user about it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.results import dvc_cache, git, waiting
from pipeline.results.place import Place
from pipeline.settings import runner
from pipeline.settings.messages import count, first_lines, first_of
from pipeline.tracking.result import MissingFilesError
from pipeline.tracking.store_failures import StoreError

SHOWN = 8
"""Items of a list that are printed; the others are counted."""
PATIENCE = 3
"""Failures of the store in a row, each of which takes a minute or so, until it is given up."""


class Outcome:
    """What became of each result."""

    def __init__(self) -> None:
        self.done: list[str] = []
        """A line for each run that was made or completed."""
        self.missing: dict[str, list[Place]] = {}
        """Places by the outputs that their runs lack."""
        self.undeclared: dict[str, list[Place]] = {}
        """Places by the outputs that dvc.yaml does not declare here."""
        self.failed: dict[str, list[Place]] = {}
        """Places by the reason why they have no run."""
        self.without_files: dict[str, list[Place]] = {}
        """Places by the files without which there is no run."""
        self.left_alone: dict[str, list[str]] = {}
        """Runs by what somebody has done to them, and how to undo it."""
        self.left_out: set[str] = set()
        """Results that were not asked for."""
        self.store_failures = 0
        """Failures of the store in a row."""
        self.not_tried = 0

    @contextmanager
    def noting(self, place: Place) -> Iterator[None]:
        """Note the error that one result causes in the block, so that the others go on."""
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
        lines = first_lines(self.done, SHOWN)
        for paths, where in self.missing.items():
            be = "are" if ", " in paths else "is"
            cure = _cure(where) or "nothing to do"
            lines.append(f"{_runs_lack(where)} {paths}, which {be} not in DVC's cache; {cure}")
        for reason, where in self.without_files.items():
            cure = f" ({_cure(where)})" if _cure(where) else ""
            lines += [f"could not be replayed, because {reason}{cure}:", f"  {_names(where)}"]
        for paths, where in self.undeclared.items():
            lines.append(f"{_runs_lack(where)} {paths}, which dvc.yaml here does not declare")
        for reason, where in self.failed.items():
            lines += [f"could not be replayed, because {reason}:", f"  {_names(where)}"]
        if self.left_out:
            lines.append(
                f"left out {count(len(self.left_out), 'result')} of commits that changed neither"
                " parameters nor data, which are not needed to compare (`python -m pipeline.track"
                " --all` adds a run for each)"
            )
        if self.not_tried:
            lines.append(
                f"the store failed {PATIENCE} times in a row: {self.not_tried} more not tried"
            )
        for reason, runs in self.left_alone.items():
            lines.append(f"{count(len(runs), 'run')} left alone, {reason}: {first_of(runs, SHOWN)}")
        return lines


def _cure(where: Sequence[Place]) -> str:
    """Return the commands that may bring the files of results; empty if there is no remote."""
    _, has_remote = dvc_cache.location()
    if not has_remote:
        return ""
    commands = []
    experiments = [place.experiment for place in where if place.experiment is not None]
    if len(experiments) < len(where):
        commands.append("`dvc fetch --all-commits`")
    if experiments and (remotes := git.ask("remote")):
        commands.append(f"`dvc exp pull {remotes.split()[0]} {' '.join(experiments)}`")
    return f"{' and '.join(commands)} may bring them" if commands else ""


def _names(where: Sequence[Place]) -> str:
    return first_of([str(place) for place in where], SHOWN)


def _runs_lack(where: Sequence[Place]) -> str:
    """Return the beginning of a sentence about what the runs of results lack."""
    return f"{_names(where)}: {'its run lacks' if len(where) == 1 else 'their runs lack'}"

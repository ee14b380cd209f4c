"""Lineage of a result as text: its run, commits, data, model, parameters and commands."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from pipeline.results import provenance
from pipeline.results.place import Place
from pipeline.settings.messages import first_lines
from pipeline.tracking import complete_runs, tags

MOST_COMMITS_SHOWN = 8
"""Other commits with the same result that are printed; the rest is counted."""
MOST_LETTERS_OF_A_VALUE = 100


@dataclass(frozen=True)
class Match:
    """A result with all its places, or a run whose training has no result."""

    run: Run | None
    places: Sequence[Place]
    asked_commit: str | None = None
    """The commit that the user named, if it was one."""

    def identity(self) -> dict[str, Any]:
        """Return the ids, the parameters and the md5 of each output, from dvc.lock or the run."""
        if self.places:
            return self.places[0].identity()
        assert self.run is not None
        run_tags = self.run.data.tags
        ids = {key: run_tags.get(key, "none yet") for key in (tags.TRAINING_ID, tags.RESULT_ID)}
        return {"outs": complete_runs.out_md5s(self.run), "params": self.run.data.params} | ids

    def committed(self) -> list[Place]:
        """Return the places in commits: the commit asked for, the run's, then others."""

        def order(place: Place) -> tuple[bool, bool]:
            return place.commit != self.asked_commit, not self.names(place)

        return sorted((place for place in self.places if place.commit), key=order)

    def names(self, place: Place) -> bool:
        """Return True if the run is named after the commit, or after the experiment, of a place."""
        name = "" if self.run is None else str(self.run.info.run_name)
        return f"({place.experiment or str(place.commit)[:7]}" in name


def is_deleted(run: Run) -> bool:
    """Return True if somebody has deleted the run."""
    return bool(run.info.lifecycle_stage == "deleted")


def is_complete(run: Run) -> bool:
    """Return True if the run shows its whole result."""
    return tags.RESULT_ID in run.data.tags


def as_text(match: Match) -> str:
    """Return the lineage of a match, a line for each fact."""
    identity = match.identity()
    outs, params = identity["outs"], identity["params"]
    lines = [*_run_lines(match.run), *_commit_lines(match)]
    lines += [("data", f"{path}, md5 {md5}") for path, md5 in outs.items() if _is_in("data", path)]
    lines += [
        ("model", f"{path}, md5 {md5}") for path, md5 in outs.items() if _is_in("models", path)
    ]
    lines += [(key, identity[key]) for key in (tags.TRAINING_ID, tags.RESULT_ID)]
    lines += [("params", f"{key}={_cut_value(value)}") for key, value in sorted(params.items())]
    lines += [("restore", command) for command in _restoring(match)]
    lines += [("again", command) for command in _repeating(match)]
    return "\n".join(
        f"{'' if n and key == lines[n - 1][0] else key:<12} {value}"
        for n, (key, value) in enumerate(lines)
    )


def _run_lines(run: Run | None) -> Iterator[tuple[str, str]]:
    """Yield the lines about the run."""
    if run is None:
        yield "run", "not in the store; `python -m pipeline.track --all` makes it"
        return
    yield "run", f"{run.info.run_name}, {run.info.run_id}, {run.info.status}"
    if is_deleted(run):
        back = f"`mlflow runs restore --run-id {run.info.run_id}` brings it back"
        yield "run", f"deleted in MLflow; {back}"
    elif tags.RESULT in run.data.tags and not is_complete(run):
        yield "run", "not complete; `python -m pipeline.track --all` completes it"
    if tags.REASON in run.data.tags:
        yield "reason", run.data.tags[tags.REASON]


def _commit_lines(match: Match) -> Iterator[tuple[str, str]]:
    """Yield the lines about commits and experiments: one, and the others with the same result."""
    committed = match.committed()
    if committed:
        first, *others = committed
        if first.experiment:
            base = f", based on {first.baseline[:12]}" if first.baseline else ""
            yield "experiment", f"{first.experiment}{base}"
        yield "commit", str(first.commit)
        for line in first_lines(
            [_other_commit(match, place) for place in others], MOST_COMMITS_SHOWN
        ):
            yield "the same in", line
    elif match.run is not None:
        run_tags = match.run.data.tags
        if tags.EXPERIMENT in run_tags:
            yield "experiment", run_tags[tags.EXPERIMENT]
        changed = run_tags.get(tags.CHANGED, "none")
        and_changes = f", and changes in {changed}" if changed != "none" else ""
        yield "commit", f"{run_tags.get(tags.COMMIT, 'none')}{and_changes}"


def _other_commit(match: Match, place: Place) -> str:
    """Return one more commit with the same result."""
    experiment = f", experiment {place.experiment}" if place.experiment else ""
    return f"{place.commit}{experiment}{', which the run is named after' * match.names(place)}"


def _is_in(folder: str, path: str) -> bool:
    return Path(path).parts[0] == folder


def _cut_value(value: Any) -> str:
    text = provenance.one_line(value)
    return text if len(text) <= MOST_LETTERS_OF_A_VALUE else f"{text[:MOST_LETTERS_OF_A_VALUE]}..."


def _restoring(match: Match) -> Iterator[str]:
    """Yield the command that brings the result of an experiment into the workspace."""
    for place in match.committed()[:1]:
        if place.experiment:
            # The name may be a stranger's, and the command is pasted into a shell.
            yield f"dvc exp apply {shlex.quote(place.experiment)}"


def _repeating(match: Match) -> Iterator[str]:
    """Yield the commands that make the result again."""
    for place in match.committed()[:1]:
        yield f"git checkout {str(place.commit)[:12]}"
        yield "dvc repro"
        return
    if any(place.folder == Path.cwd() for place in match.places):
        yield "dvc repro, in this folder; commit it, and the commit will lead here"
        return
    run_tags = match.run.data.tags if match.run is not None else {}
    # Text of a store is pasted into a shell only if it is a hash, or letters and digits.
    run_id = "" if match.run is None else match.run.info.run_id
    if re.fullmatch(r"[0-9a-f]{12,64}", run_tags.get(tags.COMMIT, "")) and run_id.isalnum():
        yield f"git checkout {run_tags[tags.COMMIT][:12]}"
        download = f"mlflow artifacts download --run-id {run_id}"
        yield f"{download} --artifact-path params.yaml --dst-path ."
        yield "dvc repro"
        changed = set(run_tags.get(tags.CHANGED, "none").split(", ")) - {"none", "params.yaml"}
        if changed:
            yield f"(but {', '.join(sorted(changed))} had changes that no commit has)"

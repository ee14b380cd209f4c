"""The one result that a name stands for, to compare it: from its place, or from its run alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from pipeline.results import recorded
from pipeline.results.lock_file import check_outs
from pipeline.results.place import Place
from pipeline.results.recorded import Recorded
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines
from pipeline.settings.params import Tracking
from pipeline.tracking import complete_runs, lookup, tags
from pipeline.tracking.lineage import Match, is_complete

MOST_SHOWN = 8
"""Results of one name that a message lists."""


def result_named(name: str, settings: Tracking) -> Recorded:
    """Return the result with this name.

    name: a run's id or name, an experiment's name, a commit, or the path of an .onnx file.
    Raises UserError if no result has this name, or if several have it.
    """
    matches, _ = lookup.find(name, settings)
    by_result = {_key(match): match for match in reversed(matches)}
    if len(by_result) > 1:
        lines = first_lines([_shown(match) for match in by_result.values()], MOST_SHOWN)
        raise UserError(
            "\n  ".join([f"{name}: {len(by_result)} results have this name; name one by:", *lines])
        )
    (match,) = by_result.values()
    committed: Sequence[Place] = match.committed() or match.places
    if committed:
        return recorded.of_place(committed[0], name)
    assert match.run is not None
    return _of_run(match.run)


def _key(match: Match) -> str:
    """Return the name of a result by which equal ones are known."""
    if match.places:
        return match.places[0].md5
    assert match.run is not None
    return match.run.data.tags.get(tags.RESULT) or str(match.run.info.run_id)


def _shown(match: Match) -> str:
    """Return a result in one line, which begins with a name that no other result has."""
    run = match.run
    if run is not None:
        return f"{run.info.run_id}  {run.info.run_name}"
    return str(match.places[0])


def _of_run(run: Run) -> Recorded:
    """Return the result of a run that is neither in a commit nor in this folder.

    Its files may still be in DVC's cache. Raises UserError if the run shows no whole result.
    """
    label = f"run {run.info.run_name}"
    if not is_complete(run):
        raise UserError(
            f"{label}: it has no result: its training ended with {run.info.status}, or no stage"
            " `track` has completed it"
        )
    outs = complete_runs.out_md5s(run)
    check_outs(outs.items(), label)
    md5 = run.data.tags[tags.RESULT]
    params = {key: _value(text) for key, text in run.data.params.items()}
    place = Place(md5, folder=Path.cwd())
    # The names in metrics.json have points; those of the losses by epoch have none.
    metrics = {name: value for name, value in run.data.metrics.items() if "." in name}
    return Recorded(label, place, md5, params, outs, None, metrics)


def _value(text: str) -> Any:
    """Return a parameter from its text in a run, which may be cut."""
    try:
        return json.loads(text)
    except ValueError:
        return text

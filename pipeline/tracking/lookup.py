"""Tell what made a result, from any end of it: what `track --find` does."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlflow.entities import Run, ViewType

from pipeline.settings import ids
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking
from pipeline.tracking import completion, provenance, results
from pipeline.tracking.results import Place
from pipeline.tracking.store import Store, explained, open_store
from pipeline.tracking.tags import (
    CHANGED,
    COMMIT,
    EXPERIMENT,
    REASON,
    RESULT,
    RESULT_ID,
    SUPERSEDED_BY,
    TRAINING_ID,
)


@dataclass(frozen=True)
class Found:
    """A result, or a run that came to none."""

    run: Run | None
    places: Sequence[Place]

    def identity(self) -> dict[str, Any]:
        """What dvc.lock or the run knows of it: its parameters and the md5 of its outputs."""
        if self.places:
            return self.places[0].identity()
        assert self.run is not None
        tags = self.run.data.tags
        ids = {key: tags.get(key, "none yet") for key in (TRAINING_ID, RESULT_ID)}
        return {"outs": completion.outs(self.run), "params": self.run.data.params} | ids


def find(what: str, settings: Tracking) -> str:
    """The lineage of what is asked for, and the commands that make it again.

    what: a run's id or name, an experiment's name, a commit, or the path of an .onnx file.
    Raises UserError if there is no such thing.
    """
    trouble = ""
    runs: list[Run] = []
    try:
        store = open_store(settings.experiment)
        runs = _runs(store)
    except UserError as error:  # git knows enough to answer most questions
        trouble = f"\n\nwithout the runs: {error}"
    places = results.everywhere()
    found = list(_search(what, runs, places))
    if not found:
        raise UserError(
            f"{what}: found no run of this id or name, no experiment, no commit with a result, no"
            " .onnx file of a result; `dvc exp list` and `make ui` show what there is" + trouble
        )
    return "\n\n".join(map(_lineage, found)) + trouble


def _runs(store: Store) -> list[Run]:
    """All runs in the store, newest first, those that were deleted last."""
    with explained(store.uri):
        experiments = [each.experiment_id for each in completion.experiments(store)]
        runs = store.client.search_runs(
            experiments, "", ViewType.ALL, 50_000, ["attributes.start_time DESC"]
        )
        return sorted(runs, key=_is_deleted)


def _search(what: str, runs: Sequence[Run], places: dict[str, list[Place]]) -> Iterator[Found]:
    """The results that `what` may mean: those of the first kind of thing that has it."""

    def of_run(run: Run) -> Found:
        return Found(run, places.get(run.data.tags.get(RESULT, ""), []))

    def of_result(md5: str) -> Found:
        same = [run for run in runs if run.data.tags.get(RESULT) == md5]
        # The first in this order, the newest first among equals.
        same.sort(key=lambda run: (_is_deleted(run), not _is_whole(run), _is_superseded(run)))
        return Found(next(iter(same), None), places.get(md5, []))

    if what.endswith(".onnx") or Path(what).is_file():
        md5 = md5_of_model(Path(what))
        made = [m for m, each in places.items() if md5 in _outs(each[0]).values()]
        tracked = [run for run in runs if md5 in completion.outs(run).values()]
        # A folder's own lines are told once, whichever of the two has them.
        told = {run.data.tags.get(RESULT) for run in tracked}
        yield from map(of_run, (run for run in tracked if SUPERSEDED_BY not in run.data.tags))
        yield from map(of_result, (each for each in made if each not in told))
        return
    by_id = [run for run in runs if run.info.run_id == what]
    by_name = [run for run in runs if run.info.run_name == what]
    if by_id or by_name:
        yield from map(of_run, by_id or by_name)
        return
    experiments = [md5 for md5, each in places.items() if any(p.experiment == what for p in each)]
    if experiments:
        yield from map(of_result, experiments)
        return
    tried = [run for run in runs if run.data.tags.get(EXPERIMENT) == what]
    if tried:
        yield from map(of_run, tried)
        return
    commit = None
    if not what.startswith("-"):  # git would take it for an option
        commit = provenance.git("rev-parse", "--verify", "--quiet", f"{what}^{{commit}}")
    if commit and (place := results.at(commit)) is not None:
        known = of_result(place.md5)
        # The one asked for first: others may hold the same result.
        first = [each for each in known.places if each.commit == commit] or [place]
        yield Found(known.run, [*first, *(each for each in known.places if each.commit != commit)])
        return
    part = [run for run in runs if what in run.info.run_name]
    yield from map(of_run, part[:1] if len(part) == 1 else ())


def _outs(place: Place) -> dict[str, str]:
    """The outputs of a result and their md5s; none if it cannot be read."""
    with suppress(UserError):
        return dict(place.identity()["outs"])
    return {}


def _is_whole(run: Run) -> bool:
    return RESULT_ID in run.data.tags


def _is_superseded(run: Run) -> bool:
    return SUPERSEDED_BY in run.data.tags


def _is_deleted(run: Run) -> bool:
    return bool(run.info.lifecycle_stage == "deleted")


def md5_of_model(path: Path) -> str:
    """The md5 of an ONNX file. Raises UserError if it is none of ours."""
    import onnx
    from google.protobuf.message import DecodeError

    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    with suppress(DecodeError):
        model = onnx.load(path, load_external_data=False)
        # The second is what files had before they had a contract.
        marks = ("abline.contract", "abline.training_id")
        if any(entry.key in marks for entry in model.metadata_props):
            return ids.md5(path)
    raise UserError(f"{path}: not an ONNX file of this pipeline: it carries no abline.contract")


def _lineage(found: Found) -> str:
    identity = found.identity()
    outs, params = identity["outs"], identity["params"]
    run = found.run
    lines: list[tuple[str, str]] = []
    if run is not None:
        lines.append(("run", f"{run.info.run_name}, {run.info.run_id}, {run.info.status}"))
        if _is_deleted(run):
            back = f"`mlflow runs restore --run-id {run.info.run_id}` brings it back"
            lines.append(("run", f"deleted in MLflow; {back}"))
        elif RESULT in run.data.tags and not _is_whole(run):
            lines.append(("run", "not complete; `python -m pipeline.track --all` completes it"))
        lines += [(tag, run.data.tags[tag]) for tag in (REASON,) if tag in run.data.tags]
    else:
        lines.append(("run", "none in the store; `python -m pipeline.track --all` makes it"))
    for place in found.places:
        if place.experiment:
            base = f", based on {place.baseline[:12]}" if place.baseline else ""
            lines.append(("experiment", f"{place.experiment}{base}"))
        if place.commit:
            lines.append(("commit", place.commit))
    if run is not None and not any(place.commit for place in found.places):
        tags = run.data.tags
        lines += [("experiment", tags[EXPERIMENT])] if EXPERIMENT in tags else []
        changed = tags.get(CHANGED, "none")
        and_changes = f", and changes in {changed}" if changed != "none" else ""
        lines.append(("commit", f"{tags.get(COMMIT, 'none')}{and_changes}"))
    lines += [("data", f"{path}, md5 {md5}") for path, md5 in outs.items() if _is("data", path)]
    lines += [("model", f"{path}, md5 {md5}") for path, md5 in outs.items() if _is("models", path)]
    lines += [(key, identity[key]) for key in ("training_id", "result_id")]
    lines += [("params", f"{key}={_shown(value)}") for key, value in sorted(params.items())]
    lines += [("again", command) for command in _again(found)]
    return "\n".join(
        f"{'' if n and key == lines[n - 1][0] else key:<12} {value}"
        for n, (key, value) in enumerate(lines)
    )


def _is(folder: str, path: str) -> bool:
    return Path(path).parts[0] == folder


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}..."


def _again(found: Found) -> Iterator[str]:
    """The commands that make it again."""
    for place in found.places:
        if place.commit:
            yield f"git checkout {place.commit[:12]}"
            yield "dvc repro"
            return
    tags = found.run.data.tags if found.run is not None else {}
    if any(place.folder == Path.cwd() for place in found.places):
        yield "dvc repro, in this folder; commit it, and the commit will lead here"
        return
    # What is to be pasted into a shell is no place for whatever a store may hold.
    run = "" if found.run is None else found.run.info.run_id
    if re.fullmatch(r"[0-9a-f]{12,64}", tags.get(COMMIT, "")) and run.isalnum():
        yield f"git checkout {tags[COMMIT][:12]}"
        yield f"mlflow artifacts download --run-id {run} --artifact-path params.yaml --dst-path ."
        yield "dvc repro"
        changed = set(tags.get(CHANGED, "none").split(", ")) - {"none", "params.yaml"}
        if changed:
            yield f"(but {', '.join(sorted(changed))} had changes that no commit has)"

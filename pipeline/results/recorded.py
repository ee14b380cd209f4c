"""A result as it was recorded: its parameters, code and outputs, and the files to compare it by."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.results import lock_file, provenance
from pipeline.results.gathering import gathered
from pipeline.results.place import Place, lossy_text
from pipeline.settings import dvc_md5, environment, files
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

COMPARED_FILES = (
    files.METRICS,
    files.COLUMNS,
    files.SUMMARY,
    files.SAMPLE,
    files.TEST,
    files.ONNX,
    files.CONTRACT,
)
"""The files that a comparison reads."""


@dataclass(frozen=True)
class Recorded:
    """A result, by the md5s in its dvc.lock or in the tags of its run.

    label: the name to print. place: where its files are searched, before DVC's cache. md5: of its
    run.json. outs: the md5 of each output. deps: the md5 of the raw tables, of the code and of
    requirements.txt by path; None if only the run is left, which does not have them.
    metrics: by dotted names; None: they are in its metrics.json.
    """

    label: str
    place: Place
    md5: str
    params: Mapping[str, Any]
    outs: Mapping[str, str]
    deps: Mapping[str, str] | None
    metrics: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Opened:
    """A result with its files.

    folder: has the files. missing: the files that neither the place nor DVC's cache has.
    metrics: by dotted names. pins: lines of requirements.txt; None if unknown.
    row_counts: number of rows by their use (training, test); empty if unknown.
    """

    recorded: Recorded
    folder: Path
    missing: Sequence[str]
    metrics: Mapping[str, float]
    pins: Sequence[str] | None
    row_counts: Mapping[str, int]


def of_place(place: Place, name: str = "") -> Recorded:
    """Return the result of a place. Raises UserError if its dvc.lock is damaged.

    name: by which the user asked for it.
    """
    label = str(place)
    if place.commit is not None and name not in label and not place.commit.startswith(name):
        label += f" ({name})"
    identity = place.identity()
    outs = identity["outs"]
    deps = {
        file["path"]: file.get("md5", "")
        for stage in place.stages.values()
        for file in stage.get("deps", ())
        if file["path"] not in outs
    }
    return Recorded(label, place, place.md5, identity["params"], outs, deps)


def edited_since(recorded: Recorded) -> list[str]:
    """Return the parameters and the code in this folder that differ from those of its result.

    Empty for results that are not in this folder. Raises UserError if params.yaml is not valid.
    """
    if recorded.place.folder is None or recorded.deps is None:
        return []
    values = params_yaml.flatten(params_yaml.load())
    keys = [key for key, value in recorded.params.items() if not _is_equal(values.get(key), value)]
    code = {path: md5 for path, md5 in recorded.deps.items() if dvc_md5.is_code(path)}
    return keys + [
        path
        for path, md5 in code.items()
        if not Path(path).exists() or dvc_md5.of(Path(path)) != md5
    ]


def _is_equal(checked: Any, value: Any) -> bool:
    return bool(provenance.one_line(checked) == provenance.one_line(value))


@contextmanager
def opened(recorded: Recorded) -> Iterator[Opened]:
    """Yield a result with the files to compare it by; they are gone after the block.

    Raises UserError if its metrics are missing or damaged.
    """
    paths = map(str, COMPARED_FILES)
    outs = {path: recorded.outs[path] for path in paths if path in recorded.outs}
    with gathered(recorded.place, {"outs": outs}) as (folder, missing):
        metrics = recorded.metrics
        if metrics is None:
            metrics = flat_metrics(_json(folder / files.METRICS, recorded.label))
        columns = folder / files.COLUMNS
        counts = _json(columns, recorded.label).get("rows") if columns.exists() else None
        yield Opened(
            recorded,
            folder,
            missing,
            metrics,
            _pins(folder / environment.REQUIREMENTS, recorded.deps or {}),
            counts if isinstance(counts, dict) else {},
        )


_WORDS = "diagnostics."


def flat_metrics(nested: Mapping[str, Any], prefix: str = "") -> dict[str, float]:
    """Return dotted names and numbers of a metrics.json, without null and the words of diagnostics.

    Raises ValueError or TypeError for another value that is no number, which no stage writes.
    """
    flat: dict[str, float] = {}
    for key, value in nested.items():
        if isinstance(value, dict):
            flat |= flat_metrics(value, f"{prefix}{key}.")
        elif value is not None and not (isinstance(value, str) and prefix.startswith(_WORDS)):
            flat[prefix + key] = float(value)
    return flat


def _json(path: Path, label: str) -> dict[str, Any]:
    """Return the content of a file of a result. Raises UserError if it is missing or damaged."""
    name = path.relative_to(path.parent.parent)
    try:
        content: dict[str, Any] = json.loads(lossy_text(path))
        if not isinstance(content, dict):
            raise ValueError
    except FileNotFoundError:
        raise UserError(
            f"{label}: its {name} is at hand neither in git nor in the folder, or was changed by"
            " hand after its stage wrote it; `dvc repro` in its commit makes it again"
        ) from None
    except lock_file.MALFORMED_ERRORS as error:
        raise UserError(f"{label}: its {name} is damaged ({type(error).__name__})") from None
    return content


def _pins(requirements: Path, deps: Mapping[str, str]) -> list[str] | None:
    """Return the lines of the requirements.txt that a result was made with; None if unknown."""
    if not requirements.exists():
        return None
    if dvc_md5.of(requirements) != deps.get(str(environment.REQUIREMENTS)):
        return None
    return lossy_text(requirements).splitlines()

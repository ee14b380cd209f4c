"""Provenance of a result: commit, changes, experiment, user and time."""

import getpass
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

from pipeline.results import git
from pipeline.settings import params as params_yaml
from pipeline.settings.declared import DVC_LOCK, KEYS_OF_NO_RESULT, stages
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of
from pipeline.settings.params import Params

LONGEST_DIFFERENCES, LONGEST_VALUE = 120, 30
"""Letters of the name of a run without its place, and of a list or mapping in it."""
UNITS = {"data.features": "column", "data.exclude": "column", "evaluate.queries": "row"}
"""What the parts of a list or mapping are."""


def head_commit() -> str | None:
    """Return the hash of the commit that is checked out; None if there is no commit."""
    return git.ask("rev-parse", "HEAD")


def changed_files() -> list[str]:
    """Return the files that differ from the commit, without the files that DVC itself writes."""
    written_by_dvc = {str(DVC_LOCK), *(out for stage in stages().values() for out in stage["outs"])}
    status = git.ask("status", "--porcelain", "--no-renames", "-z", "--", ".") or ""
    # Git's paths start at its top folder, and this repository may be a subfolder.
    prefix = git.ask("rev-parse", "--show-prefix") or ""
    paths = [entry[3:].removeprefix(prefix) for entry in status.split("\0") if entry]
    return sorted(
        path
        for path in paths
        if not any(path == own or path.startswith(f"{own}/") for own in written_by_dvc)
    )


def changed_params(params: Params) -> dict[str, Any] | None:
    """Return the parameters with another value than in the commit; None if unknown.

    Keys that change no result, such as `train.checkpoint_seconds`, are left out.
    """
    text = git.ask("show", f"HEAD:./{params_yaml.PATH}")
    if text is None:
        return None
    try:
        before = params_yaml.flatten(params_yaml.parse(text))
    except UserError:  # in that commit params.yaml has other keys
        return None
    now = params_yaml.flatten(params)
    return {
        key: value
        for key, value in now.items()
        if value != before[key] and not key.startswith(KEYS_OF_NO_RESULT)
    }


@dataclass(frozen=True)
class Origin:
    """Origin of a result, and the name of its run."""

    name: str
    """The differences (parameters, data, files), and its experiment or commit."""
    commit: str | None
    changed: Sequence[str] = ()
    """Files that differed from the commit."""
    experiment: str | None = None
    """DVC's name of the experiment."""
    baseline: str | None = None
    """The commit that the experiment started from."""
    user: str | None = None
    time: int | None = None
    """Time of the result in milliseconds since 1970; None if it is being computed now."""
    place: str = ""
    """End of the run's name: the experiment or the commit."""
    changes: Mapping[str, Any] | None = None
    """Parameters with another value than in the commit; None if it cannot be compared."""

    @classmethod
    def here(cls, params: Params) -> Self:
        """Origin of the result that is being computed in this folder."""
        experiment = os.environ.get("DVC_EXP_NAME")
        head = head_commit()
        changed = changed_files()
        place = experiment or (head[:7] if head else "no commit")
        if head and set(changed) - {str(params_yaml.PATH)}:
            place += " + changes"
        user = None
        with suppress(OSError, KeyError):  # a user without a name, as in some containers
            user = getpass.getuser()
        changes = changed_params(params)
        data = head is not None and any(Path(path).parts[0] == "data" for path in changed)
        return cls(
            name=f"{differences(changes, data, _read_by_stages(changed))} ({place})",
            commit=head,
            changed=tuple(changed),
            experiment=experiment,
            baseline=os.environ.get("DVC_EXP_BASELINE_REV"),
            user=user,
            place=place,
            changes=changes,
        )


def _read_by_stages(paths: Sequence[str]) -> list[str]:
    """Return the files that a stage depends on: no other file can have changed the result."""
    deps = {dep for stage in stages().values() for dep in stage["deps"]}
    return [path for path in paths if deps & {path, *map(str, PurePosixPath(path).parents)}]


def differences(
    changed: Mapping[str, Any] | None, data: bool = False, changed_files: Sequence[str] = ()
) -> str:
    """Return the differences for the name of a run: parameters and data, or else other files.

    changed: parameters; None if they cannot be compared.
    changed_files: files that differ from the commit; two of them are named.
    """
    parts = [_difference(key, value) for key, value in (changed or {}).items()]
    parts += ["other data"] if data else []
    others = [path for path in changed_files if path != str(params_yaml.PATH)]
    if not parts and changed is not None and others:
        parts = [f"{first_of(others, 2)} changed"]
    if not parts:
        return "committed params" if changed is not None else "params not in git"
    # The short parts first: a list of names or rows would push the others out of sight, and
    # `mlflow ui` shows about 20 letters.
    parts.sort(key=len)
    kept = len(parts)
    while kept > 1 and len(_first(parts, kept)) > LONGEST_DIFFERENCES:
        kept -= 1
    shown = _first(parts, kept)
    return shown if len(shown) <= LONGEST_DIFFERENCES else f"{shown[: LONGEST_DIFFERENCES - 1]}…"


def _first(parts: Sequence[str], kept: int) -> str:
    return first_of(parts, kept) if kept < len(parts) else ", ".join(parts)


def _difference(key: str, value: Any) -> str:
    """Return a parameter with its value, or with the size of a list or mapping that is long."""
    text = one_line(value)
    if len(text) <= LONGEST_VALUE or not isinstance(value, list | tuple | Mapping):
        return f"{key}={text}"
    return f"{key} ({count(len(value), UNITS.get(key, 'part'))})"


def one_line(value: Any) -> str:
    """Return a parameter's value on one line, as params.yaml has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

"""Provenance of a result: commit, changes, experiment, who made it and when."""

import getpass
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self

from pipeline.settings import params as params_yaml
from pipeline.settings.declared import stages
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking.tags import (
    BASELINE,
    CHANGED,
    COMMIT,
    EXPERIMENT,
    SOURCE_NAME,
    SOURCE_TYPE,
    USER,
)


def commit() -> str | None:
    """The commit that is checked out, if there is one."""
    return git("rev-parse", "HEAD")


def changed_files() -> list[str]:
    """Files that differ from the commit, apart from those that DVC itself writes."""
    dvcs_own = {"dvc.lock", *(out for stage in stages().values() for out in stage["outs"])}
    status = git("status", "--porcelain", "--no-renames", "-z", "--", ".") or ""
    # Git names them from its top, of which this repository may be a subfolder.
    prefix = git("rev-parse", "--show-prefix") or ""
    paths = [entry[3:].removeprefix(prefix) for entry in status.split("\0") if entry]
    return sorted(
        path
        for path in paths
        if not any(path == own or path.startswith(f"{own}/") for own in dvcs_own)
    )


def changed_params(params: Params) -> dict[str, Any] | None:
    """The parameters whose values differ from the commit's; None where there is no comparison."""
    text = git("show", f"HEAD:./{params_yaml.PATH}")
    if text is None:
        return None
    try:
        before = params_yaml.flatten(params_yaml.parse(text))
    except UserError:  # the commit is from a time when params.yaml had other keys
        return None
    now = params_yaml.flatten(params)
    return {key: value for key, value in now.items() if value != before[key]}


@dataclass(frozen=True)
class Origin:
    """Where a result comes from, and what its run is called."""

    name: str
    """What is particular about it: the parameters that differ, and its experiment or commit."""
    commit: str | None
    changed: Sequence[str] = ()
    """Files that differed from the commit."""
    experiment: str | None = None
    """DVC's name of the experiment."""
    baseline: str | None = None
    """The commit that the experiment started from."""
    user: str | None = None
    time: int | None = None
    """When it was made, in milliseconds since 1970; None: it is being made now."""
    place: str = ""
    """The end of its name: the experiment or the commit."""
    changes: Mapping[str, Any] | None = None
    """Parameters with another value than in the commit; None: there is nothing to compare with."""

    TAGS: ClassVar = (COMMIT, EXPERIMENT, BASELINE, USER)

    @classmethod
    def here(cls, params: Params) -> Self:
        """Origin of the result that is being computed in this folder."""
        experiment = os.environ.get("DVC_EXP_NAME")
        head = commit()
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

    def tags(self) -> dict[str, str]:
        """Tags of a run: who made this from which code, and under which DVC experiment."""
        tags = {
            SOURCE_NAME: "dvc.yaml",
            SOURCE_TYPE: "LOCAL",
            COMMIT: self.commit,
            CHANGED: changed_tag(self.changed),
            EXPERIMENT: self.experiment,
            BASELINE: self.baseline,
            USER: self.user,
        }
        return {key: value for key, value in tags.items() if value}


def changed_tag(paths: Sequence[str]) -> str:
    """The files that differ from a run's commit, as its tag names them, which has a limit."""
    return ", ".join(paths)[:5000] or "none"


def _read_by_stages(paths: Sequence[str]) -> list[str]:
    """Return the files that a stage depends on: no other can have changed the result."""
    deps = {dep for stage in stages().values() for dep in stage["deps"]}
    return [path for path in paths if deps & {path, *map(str, PurePosixPath(path).parents)}]


def differences(
    changed: Mapping[str, Any] | None, data: bool = False, changed_files: Sequence[str] = ()
) -> str:
    """Return what differs, for the name of a run: parameters and data, or else other files.

    changed: parameters; None if there is nothing to compare with.
    changed_files: files that differ from the commit; two of them are named.
    """
    parts = [f"{key}={short(value)}" for key, value in (changed or {}).items()]
    parts += ["other data"] if data else []
    others = [path for path in changed_files if path != str(params_yaml.PATH)]
    if not parts and changed is not None and others:
        more = f" and {len(others) - 2} more" if len(others) > 2 else ""
        parts = [f"{', '.join(others[:2])}{more} changed"]
    if not parts:
        return "committed params" if changed is not None else "params not in git"
    # The short ones first: a list of names or rows would push the others out of sight, and
    # `mlflow ui` shows the first 20 letters or so.
    shown = ", ".join(sorted(parts, key=len))
    return shown if len(shown) <= 200 else shown[:197] + "..."


def short(value: Any) -> str:
    """A parameter's value on one line, as params.yaml would have it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def git(*arguments: str) -> str | None:
    """What git answers, or None where there is no git, no repository or no such thing in it."""
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    # Git's files are UTF-8 whatever the locale is.
    return answer.stdout.decode(errors="replace").rstrip("\n")

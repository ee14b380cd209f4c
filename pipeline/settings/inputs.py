"""Inputs of the stage that runs: noted when it starts, compared while it runs and when it ends.

DVC hashes the dependencies of a stage after its command (dvc#11058), and would record a file that
was edited meanwhile as the one that made the result. A stage whose inputs change fails instead.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import declared, dvc_md5, messages, params, stamps, yaml_file
from pipeline.settings.errors import EditedError, UserError
from pipeline.settings.stamps import Noted

LARGE_FILE_BYTES = 32_000_000
"""Size of a file that takes a twentieth of a second to hash: if DVC has just hashed a larger one,
the md5 comes from dvc.lock."""
MOST_EDITED_SHOWN = 8


@dataclass(frozen=True)
class _Inputs:
    """The inputs of a stage when it started."""

    stage: str
    deps: Sequence[str]
    outs: Sequence[str]
    files: Mapping[str, Noted]
    params_text: str
    keys: Sequence[str]


_started: list[_Inputs] = []
"""The inputs of the one stage that this process runs."""


def note(stage: str) -> None:
    """Note the inputs of `stage`, before it reads any, for `check`.

    Raises UserError if dvc.yaml or params.yaml cannot be read.
    """
    declaration = declared.stages().get(stage)
    if declaration is None:
        return
    deps = declaration["deps"]
    paths = [path for dep in deps for path in dvc_md5.files(dep)]
    _started[:] = [
        _Inputs(
            stage=stage,
            deps=deps,
            outs=declaration["outs"],
            files={path: stamps.noted(path) or _noted(path) for path in paths},
            params_text=yaml_file.text_of(params.PATH),
            keys=[key for key in declaration["params"] if isinstance(key, str)],
        )
    ]


def md5(path: str) -> str:
    """Return the md5 of a file; what `note` found, if the file is one of the inputs."""
    for inputs in _started:
        if (before := inputs.files.get(path)) and before.stamp == stamps.of(path):
            return before.md5
    return stamps.md5(path)


def check() -> None:
    """Compare the inputs of the running stage with what `note` found.

    Raises EditedError with the names of the inputs that changed. A file with the same md5 is the
    same, whatever its stamp, and so is params.yaml if only comments and keys of other stages
    differ.
    """
    for inputs in _started:
        edited = [*_edited_params(inputs), *_edited_files(inputs)]
        if edited:
            raise EditedError(
                f"edited while {inputs.stage} ran: {messages.first_of(edited, MOST_EDITED_SHOWN)};"
                " DVC would record the edited files as those that made the result, so there is no"
                f" result; `dvc repro` runs {inputs.stage} again, with the files as they are now"
                " (undo the edits first for the result of the old ones)"
            )


def check_at_end() -> None:
    """Do `check` after the outputs are written, and remove them if it fails."""
    try:
        check()
    except EditedError:
        for out in map(Path, _started[0].outs):
            if out.is_dir() and not out.is_symlink():
                shutil.rmtree(out)
            else:
                out.unlink(missing_ok=True)
        raise


def _edited_params(inputs: _Inputs) -> Iterator[str]:
    try:
        text = yaml_file.text_of(params.PATH)
        if text == inputs.params_text:
            return
        before, now = (yaml_file.read(each, params.PATH)[0] for each in (inputs.params_text, text))
    except UserError:  # it is gone, or half of it is written
        yield str(params.PATH)
        return
    keys = [key for key in inputs.keys if yaml_file.at(before, key) != yaml_file.at(now, key)]
    if keys:
        yield f"{params.PATH} ({messages.first_of(keys, MOST_EDITED_SHOWN)})"


def _edited_files(inputs: _Inputs) -> Iterator[str]:
    paths = {path for dep in inputs.deps for path in dvc_md5.files(dep)} | set(inputs.files)
    for path in sorted(paths):
        before, stamp = inputs.files.get(path), stamps.of(path)
        # Another stamp is a reason to look; the md5 decides.
        if before and (before.stamp == stamp or (stamp and before.md5 == stamps.md5(path))):
            continue
        if path not in inputs.deps and not dvc_md5.is_code(path) and declared.is_ignored(path):
            continue
        is_new = before is None or before.stamp is None
        yield path + (" (new)" if is_new else " (removed)" if stamp is None else "")


def _noted(path: str) -> Noted:
    stamp = stamps.of(path)
    recorded = _recorded_by_dvc(path, stamp[0]) if stamp and stamp[0] > LARGE_FILE_BYTES else None
    return Noted(stamp, recorded or stamps.md5(path))


def _recorded_by_dvc(path: str, size: int) -> str | None:
    """Return the md5 of a large output of the stage before, if DVC has just recorded it."""
    if "DVC_STAGE" not in os.environ:  # started by hand: dvc.lock may be older
        return None
    try:
        lock = yaml_file.read(yaml_file.text_of(declared.DVC_LOCK), declared.DVC_LOCK)[0]
        for stage in lock["stages"].values():
            for out in stage.get("outs", ()):
                if out["path"] == path and out.get("size") == size:
                    return str(out["md5"])
    except (UserError, TypeError, KeyError, AttributeError):  # damaged: DVC has the better message
        return None
    return None

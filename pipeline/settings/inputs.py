"""Inputs of the stage that runs: noted when it starts, compared when it ends.

DVC hashes the dependencies of a stage after its command (dvc#11058), and would record a file that
was edited meanwhile as the one that made the result. A stage whose inputs change fails instead.
"""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.settings import declared, messages, params, regular_file, stamps, yaml_file
from pipeline.settings.errors import EditedError, UserError
from pipeline.settings.stamps import Stamp

HASHED_AT_MOST = 32_000_000
"""Bytes of inputs to hash when the stage starts: a twentieth of a second. Of larger files the stamp
decides alone: one that is saved again without a change counts as edited."""
MOST_SHOWN = 8


@dataclass(frozen=True)
class _Inputs:
    """The inputs of a stage when it started."""

    stage: str
    deps: Sequence[str]
    outs: Sequence[str]
    stamps: Mapping[str, Stamp | None]
    md5s: Mapping[str, str]
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
    paths = [path for dep in deps for path in stamps.files(dep)]
    noted = {path: stamps.noted(path) for path in paths}
    _started[:] = [
        _Inputs(
            stage=stage,
            deps=deps,
            outs=declaration["outs"],
            stamps=noted,
            md5s=_md5s(noted),
            params_text=yaml_file.text_of(params.PATH),
            keys=[key for key in declaration["params"] if isinstance(key, str)],
        )
    ]


def check() -> None:
    """Compare the inputs of the running stage with what `note` found.

    Raises EditedError with the names of those that are not the same. A file that was saved again
    without a change is the same, and so is params.yaml if only comments and keys of other stages
    differ.
    """
    for inputs in _started:
        edited = [*_edited_params(inputs), *_edited_files(inputs)]
        if edited:
            raise EditedError(
                f"edited while {inputs.stage} ran: {messages.first_of(edited, MOST_SHOWN)}; DVC"
                " would record the edited files as those that made the result, so there is no"
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
    keys = [key for key in inputs.keys if _value(before, key) != _value(now, key)]
    if keys:
        yield f"{params.PATH} ({messages.first_of(keys, MOST_SHOWN)})"


def _value(content: Any, key: str) -> Any:
    """Return the value of a dotted key; Ellipsis, which no YAML has, if the key is not there."""
    for part in key.split("."):
        content = content.get(part, ...) if isinstance(content, dict) else ...
    return content


def _edited_files(inputs: _Inputs) -> Iterator[str]:
    paths = {path for dep in inputs.deps for path in stamps.files(dep)} | set(inputs.stamps)
    for path in sorted(paths):
        before, now = inputs.stamps.get(path), stamps.of(path)
        if before == now or (now and inputs.md5s.get(path) == _md5(path)):
            continue
        is_of_a_folder_of_data = path not in inputs.deps and not path.startswith(f"{stamps.CODE}/")
        if is_of_a_folder_of_data and declared.is_ignored(path):
            continue
        yield path + (" (new)" if before is None else " (removed)" if now is None else "")


def _md5s(noted: Mapping[str, Stamp | None]) -> dict[str, str]:
    """Return the md5 of each file that has its noted stamp, up to HASHED_AT_MOST bytes in all."""
    md5s: dict[str, str] = {}
    left = HASHED_AT_MOST
    for path, stamp in noted.items():
        if stamp is None or stamp[0] > left or stamp != stamps.of(path):
            continue
        left -= stamp[0]
        md5s[path] = _md5(path)
    return md5s


def _md5(path: str) -> str:
    """Return the md5 of a file; nothing if it cannot be read any more."""
    try:
        with regular_file.opened(Path(path)) as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except (OSError, UserError):
        return ""

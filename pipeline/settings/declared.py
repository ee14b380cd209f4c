"""Checks of what DVC reads by itself: the stages in dvc.yaml, and the files under data/raw."""

import functools
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pipeline.settings import files, messages, yaml_file
from pipeline.settings.errors import UserError

DVC_YAML = Path("dvc.yaml")
DVC_LOCK = Path("dvc.lock")

Stages = dict[str, dict[str, Any]]

# The stages that must run again when a key of a section changes. Not read from dvc.yaml, which is
# checked against it. `export` writes the parameters of the data and of the training into the
# contract, `track` writes all of them into the run.
STAGES_OF_SECTION = {
    "data": ("generate", "export", "track"),
    "model": ("train", "evaluate", "export", "track"),
    "train": ("train", "export", "track"),
    "evaluate": ("evaluate", "export", "track"),
    "export": ("export", "track"),
    "report": ("export", "track"),
}
KEYS_OF_NO_RESULT = ("tracking.", "train.checkpoint_seconds")  # keys that change no result


def stages() -> Stages:
    """Return the stages, each with its deps, params and outs (metrics and plots included).

    Raises UserError if dvc.yaml is missing or damaged, or has no stages.
    """
    return _parsed(yaml_file.text_of(DVC_YAML))


@functools.cache  # 2 ms to parse, and a stage asks a dozen times
def _parsed(dvc_yaml: str) -> Stages:
    read: Stages = {}
    content = yaml_file.read(dvc_yaml, DVC_YAML)[0]
    try:
        for name, stage in content["stages"].items():
            outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind) or ()]
            read[name] = {
                "deps": list(stage.get("deps") or ()),
                "params": list(stage.get("params") or ()),
                # An output is its path, or a mapping of its path to its settings.
                "outs": [next(iter(out), "") if isinstance(out, dict) else out for out in outs],
            }
    except (TypeError, KeyError, AttributeError):
        raise UserError(f"{DVC_YAML}: it has no stages; `git checkout {DVC_YAML}`") from None
    return read


def check(keys: Collection[str]) -> None:
    """Refuse a dvc.yaml with which DVC would keep an old result although a parameter has changed.

    keys: the dotted keys of params.yaml. Raises UserError with each key that a stage lacks.
    """
    declared = {name: stage["params"] for name, stage in stages().items()}
    problems = []
    for key in keys:
        needed = (
            STAGES_OF_SECTION.get(key.partition(".")[0], ())
            if not key.startswith(KEYS_OF_NO_RESULT)
            else ()
        )
        stages_lacking = [name for name in needed if key not in declared.get(name, (key,))]
        if stages_lacking:
            problems.append(
                f"{DVC_YAML}: {key} is not among the params of {', '.join(stages_lacking)}, so DVC"
                f" would not see that it changed; add it there"
            )
    if problems:
        raise UserError(messages.mistakes(problems, DVC_YAML, len(problems)))


def check_files(folder: str | Path = files.RAW) -> None:
    """Refuse a pipe or a device among the tables, because DVC reads every file before any stage.

    DVC would wait for the end of such a file for ever, without a message. Raises UserError with
    each path.
    """
    endless = [path for path in _endless(folder) if not is_ignored(path)]
    if endless:
        raise UserError(
            f"{', '.join(sorted(endless))}: found no regular file, but a pipe, a socket or a"
            f" device; DVC reads every file under {folder} and would wait for ever; move it"
            " elsewhere, or save its content as a file"
        )


def _endless(folder: str | Path) -> Iterator[str]:
    """Yield the paths under `folder` that DVC reads and that are neither files nor folders.

    DVC follows links to files, but not links to folders, and enters no folder that is a DVC
    repository itself.
    """
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # DVC has the better message
    if any(entry.name == ".dvc" for entry in entries):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _endless(entry.path)
        elif not entry.is_file() and not entry.is_dir() and os.path.exists(entry.path):  # noqa: PTH110
            yield entry.path


def is_ignored(path: str) -> bool:
    """True if .dvcignore excludes the file. Asks DVC, which takes a second."""
    asked = [sys.executable, "-m", "dvc", "check-ignore", "--quiet", path]
    return not subprocess.run(asked, capture_output=True).returncode

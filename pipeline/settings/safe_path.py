"""Checks of paths and md5s that come from another commit, an experiment, a list or a run.

Whoever can make a commit can write any path into its dvc.lock. A path is used only if it cannot
lead out of its folder, and an md5 only if it has the form of one, because DVC's cache makes a path
of it.
"""

import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from pipeline.settings import messages, terminal
from pipeline.settings.errors import UserError

_ID = re.compile(r"[0-9a-f]{32}")
LONGEST_PATH_PART_BYTES = 255  # as usual file systems have it


def check(path: Any, place: str) -> str:
    """Return `path` if it is relative and stays below its folder: "reports/plots".

    place: the file that has the path, for the message. Raises UserError if the path is absolute,
    has a part `..` or a part of more than 255 bytes, a backslash, a drive or an invisible
    character, or is not text.
    """
    if not isinstance(path, str):
        raise UserError(f"{place} names {messages.show(path)} as a file; must be a path")
    try:
        sizes = [len(part.encode()) for part in path.split("/")]
    except UnicodeEncodeError:  # half of a character, which JSON and YAML can write
        raise UserError(f"{place} names the file {path[:200]!r}, which is not Unicode") from None
    if max(sizes) > LONGEST_PATH_PART_BYTES:
        raise UserError(
            f"{place} names the file {path[:80]!r}...; each part of a path must have"
            f" {LONGEST_PATH_PART_BYTES} bytes at most"
        )
    windows = PureWindowsPath(path)  # takes both kinds of slashes, and drives
    parts = PurePosixPath(path).parts
    if (
        not parts
        or path.startswith("/")
        or windows.drive
        or windows.root
        or "\\" in path
        or ".." in parts
        or terminal.invisible(path)
    ):
        raise UserError(
            f"{place} names the file {path[:200]!r}; must be a path below the repository, without"
            " .., backslashes and invisible characters"
        )
    return path


def below(root: Path, path: str, place: str) -> Path:
    """Return `root / path`. Raises UserError if a link on the way leads out of `root`."""
    target = root / check(path, place)
    try:
        stays = target.resolve().is_relative_to(root.resolve())
    except RuntimeError:  # a link that leads to itself
        stays = False
    if not stays:
        raise UserError(f"{place} names the file {path[:200]!r}; a link there leads out of {root}")
    return target


def is_id(text: Any) -> bool:
    """True if `text` is 32 hexadecimal digits: an md5 of a file, a training_id, a result_id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def is_md5(text: Any) -> bool:
    """True if `text` is an md5 as DVC writes it: 32 hexadecimal digits, `.dir` for a folder."""
    return isinstance(text, str) and is_id(text.removesuffix(".dir"))

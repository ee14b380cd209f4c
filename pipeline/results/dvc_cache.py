"""DVC's cache: files by their md5, each checked before it is used.

The cache may be shared, damaged, or filled with a stranger's lists: see SECURITY.md. It is not read
with `dvc.api.DVCFileSystem`, which returns files with another md5, follows links out of the cache,
ends the process without a message on a deeply nested dvc.lock, and takes three times as long.
"""

import functools
import hashlib
import json
from pathlib import Path

from pipeline.results.lock_file import MALFORMED_ERRORS
from pipeline.settings import files, safe_path
from pipeline.settings.errors import UserError

LARGEST_LIST_BYTES = 10_000_000
"""Limit for DVC's list of the files in a folder."""


@functools.cache
def location() -> tuple[Path | None, bool]:
    """Return the folder of the cache, and True if there is a default remote to fetch from.

    Cached, because it takes half a second.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(files.root())) as repo:
            return Path(repo.cache.local.path), bool(repo.config["core"].get("remote"))
    except DvcException:
        return None, False


def has(md5: str) -> bool:
    """Return True if the cache has a file under this md5; its content is not checked."""
    return _entry(md5) is not None


def _entry(md5: str) -> Path | None:
    """Return the cache's file under an md5; None if there is no file, or a link in its place."""
    folder, _ = location()
    if folder is None or not safe_path.is_md5(md5):
        return None
    path = folder.resolve() / md5[:2] / md5[2:]
    return path if path.is_file() and path.resolve() == path else None


def link(md5: str, target: Path) -> bool:
    """Make `target` a link to the file with this md5, or a folder of links.

    Return False if a file is missing or its content has another md5.
    Raises UserError if a list of files names one that is not below its folder.
    """
    path = _entry(md5)
    if path is None or not _has_md5(path, md5):
        return False
    if not md5.endswith(".dir"):
        target.symlink_to(path)
        return True
    is_complete = True
    target.mkdir()
    for name, file_md5 in _listed(path, md5):
        file = safe_path.below(target, name, f"DVC's list {md5}")
        file.parent.mkdir(parents=True, exist_ok=True)
        is_complete = link(file_md5, file) and is_complete
    return is_complete


def _has_md5(path: Path, md5: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == md5.removesuffix(".dir")


def _listed(path: Path, md5: str) -> list[tuple[str, str]]:
    """Return the paths and md5s in DVC's list of a folder's files.

    Raises UserError if the list is not valid.
    """
    problem = f"DVC's list {md5} is damaged"
    if path.stat().st_size > LARGEST_LIST_BYTES:
        raise UserError(f"{problem}: it is larger than {LARGEST_LIST_BYTES} bytes")
    try:
        listed = [(entry["relpath"], entry["md5"]) for entry in json.loads(path.read_bytes())]
    except MALFORMED_ERRORS as error:
        raise UserError(f"{problem} ({type(error).__name__})") from None
    for _, file_md5 in listed:
        if not safe_path.is_md5(file_md5) or file_md5.endswith(".dir"):
            raise UserError(f"{problem}: {str(file_md5)[:80]!r} is no md5 of a file")
    if len({name for name, _ in listed if isinstance(name, str)}) < len(listed):
        raise UserError(f"{problem}: it names a file twice")
    return listed

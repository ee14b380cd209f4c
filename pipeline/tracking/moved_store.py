"""A store whose repository was renamed or copied: its runs keep their files in the old folder.

MLflow's database holds absolute paths in four tables and in texts of its own. It is not changed:
the store is put aside, and a new one is filled from git and DVC's cache. What cannot be replayed
(runs that failed or were stopped, and what people wrote) stays in the old file, and can be read.
"""

import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.settings.files import root
from pipeline.tracking.locks import lock
from pipeline.tracking.store_address import artifacts, sqlite_file
from pipeline.tracking.store_check import SECONDS_LOCKED
from pipeline.tracking.store_failures import DAMAGED_FILE, MovedError, explained
from pipeline.tracking.store_file import opened


def refuse_moved(uri: str) -> None:
    """Raise MovedError if a store in a file of this repository was made in another folder.

    The file is asked without MLflow, which would keep it open under its name.
    """
    file = sqlite_file(uri)
    if file is None or not file.exists() or file.resolve().parent != root().resolve():
        return  # a store elsewhere, whose owner knows where it keeps what
    if file.stat().st_nlink > 1:
        return  # it is another folder's, too
    if (folder := _folder_of(file)) is not None:
        raise MovedError(file, folder)


def other_repository(location: str) -> Path | None:
    """Return the repository that an artifact location lies in, if it is not this one."""
    if not _is_of_a_repository(location):
        return None
    repository = _path(location).parent.parent
    if repository.resolve() == root().resolve():
        return None
    with suppress(OSError):  # one folder may have two paths: links, and mounts of it elsewhere
        if repository.samefile(root()):
            return None
    return repository


def _is_of_a_repository(location: str) -> bool:
    """True if an artifact location is where a repository's own store keeps its artifacts."""
    is_path = urlsplit(location).scheme in ("", "file")
    return is_path and _path(location).parts[-2:] == artifacts().parts[-2:]


def _path(location: str) -> Path:
    return Path(unquote(urlsplit(location).path))


def put_aside(moved: MovedError) -> str:
    """Put a moved store aside, and use the one that was made in this folder, if there is one.

    Returns what was done, and where the old store is. Nothing is overwritten or removed. A folder
    that is used under two paths in turn, as in a container, has two stores and no more.
    """
    file = moved.file
    with lock(), explained(f"sqlite:///{file}"):
        if _folder_of(file) is None:
            return f"{file}: another process has put it aside"
        own = next((each for each in _put_aside(file) if _folder_of(each) is None), None)
        aside = _free_name(file)
        # Nobody may write just now: SQLite finds the journal of a change by the file's name.
        with closing(opened(file, "rw", 2 * SECONDS_LOCKED)) as database:
            database.isolation_level = None
            database.execute("BEGIN EXCLUSIVE")
            file.rename(aside)
        if own is not None:
            own.rename(file)
    which = f"the one that was made here, {own.name}," if own is not None else "a new one"
    return (
        f"{file} was made in {moved.old_folder}: {which} takes its place, and it is kept as"
        f" {aside.name}. Only there are runs that failed or were stopped, experiments and"
        " registered models of your own, notes and changes by hand, and results that neither"
        f" git nor DVC's cache has: `mlflow ui --backend-store-uri 'sqlite:///{aside}'` shows them"
    )


def _folder_of(file: Path) -> Path | None:
    """Return the other repository in which a store was made; None if it is this one's.

    A damaged file counts as this one's: MLflow says best what is wrong with it.
    """
    with suppress(*DAMAGED_FILE), closing(opened(file)) as database:
        rows = database.execute("SELECT artifact_location FROM experiments").fetchall()
        ours = [place for (place,) in rows if place and _is_of_a_repository(place)]
        others = [other_repository(place) for place in ours]
        # Another clone may have made an experiment of its own in this repository's store.
        return None if None in others else next(iter(others), None)
    return None


def _put_aside(file: Path) -> list[Path]:
    """Return the stores that were put aside before, newest first."""
    return sorted(file.parent.glob(f"{file.stem}.moved-*{file.suffix}"), reverse=True)


def _free_name(file: Path) -> Path:
    """Return a name beside `file` that says when it was put aside, and that no file has."""
    moment = time.strftime("%Y-%m-%d-%H.%M.%S")
    numbers = ("", *(f"-{number}" for number in range(2, 100)))
    names = (f"{file.stem}.moved-{moment}{number}{file.suffix}" for number in numbers)
    return next(path for path in map(file.with_name, names) if not path.exists())

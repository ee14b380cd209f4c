"""Stores whose repository was renamed or copied: their runs keep their files in the old folder.

MLflow's database holds absolute paths in four tables and in texts of its own. It is not changed:
the store is put aside, and a new store is filled from git and DVC's cache. Everything that cannot
be replayed stays in the old file, and can be read there.
"""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.settings.files import root
from pipeline.settings.messages import count
from pipeline.tracking.locks import lock
from pipeline.tracking.store_address import artifacts, default_file, sqlite_file
from pipeline.tracking.store_failures import DAMAGED_FILE, MovedError, explained
from pipeline.tracking.store_file import SECONDS_LOCKED, connection


def refuse_moved(uri: str, experiment: str) -> None:
    """Raise MovedError if this repository's own store was made in another folder.

    A store under another name comes from MLFLOW_TRACKING_URI, and others may use it.
    The file is read without MLflow, which would keep it open under its name.
    """
    file = sqlite_file(uri)
    if file is None or not file.exists() or file.resolve() != default_file().resolve():
        return
    if file.is_symlink() or file.stat().st_nlink > 1:
        return  # another folder uses the same file
    if (old_folder := _old_folder(file, experiment)) is not None:
        raise MovedError(file, old_folder)


def other_repository(location: str) -> Path | None:
    """Return the repository that an artifact location lies in, if it is not this one."""
    place = _path(location)
    if place is None or place.parts[-2:] != artifacts().parts[-2:]:
        return None
    return None if _is_this_repository(place.parent.parent) else place.parent.parent


def put_aside(moved: MovedError, experiment: str) -> str:
    """Put a moved store aside, and use the store that was made in this folder, if there is one.

    Returns a message: what was done, and where the old store is. Nothing is overwritten or removed.
    A folder that is used under two paths in turn, as in a container, has two stores and no more.
    """
    file = moved.file
    with lock(), explained(f"sqlite:///{file}"):
        if _old_folder(file, experiment) is None:
            return f"{file}: another process has put it aside"
        own = next(
            (each for each in _earlier_stores(file) if _was_made_here(_locations(each))), None
        )
        aside = _free_name(file)
        # No process may write meanwhile: SQLite finds the journal of a change by the file's name.
        with closing(connection(file, "rw", 2 * SECONDS_LOCKED)) as database:
            database.isolation_level = None
            database.execute("BEGIN EXCLUSIVE")
            not_replayed = _not_replayed(database, experiment)
            file.rename(aside)
        if own is not None:
            own.rename(file)
    which = f"the one that was made here, {own.name}," if own is not None else "a new one"
    return (
        f"{file} was made in {moved.old_folder}: {which} takes its place, and the old file is kept"
        f" as {aside.name}. Only the old file has {not_replayed}:"
        f" `mlflow ui --backend-store-uri 'sqlite:///{aside}'` shows them"
    )


def _not_replayed(database: sqlite3.Connection, experiment: str) -> str:
    """Return a list, in words, of everything in a store that git and DVC's cache do not have."""

    def number(table_and_condition: str, *values: str) -> int:
        rows = database.execute(f"SELECT COUNT(*) FROM {table_and_condition}", values)
        return int(rows.fetchone()[0])

    kinds = [
        "the runs that failed or were stopped",
        "the runs of results that git or DVC's cache does not have",
        "the notes and changes that people made by hand",
    ]
    if others := number("experiments WHERE experiment_id != 0 AND name != ?", experiment):
        kinds.append(count(others, "other experiment"))
    if versions := number("model_versions"):
        kinds.append(f"the model registry with {count(versions, 'version')} and their aliases")
    return f"{', '.join(kinds[:-1])} and {kinds[-1]}"


def _old_folder(file: Path, experiment: str) -> Path | None:
    """Return the folder of the repository in which a store was made; None if it is this one.

    An experiment in another clone's folder is no sign of a move if any experiment lies in this
    folder: clones may share a store. For a damaged file the result is None: MLflow's message says
    what is wrong with it.
    """
    locations = _locations(file)
    old_folder = other_repository(locations.get(experiment, ""))
    if old_folder is None or _was_made_here(locations):
        return None
    with suppress(OSError):  # the other folder uses this very file, through a link
        if (old_folder / file.name).samefile(file):
            return None
    return old_folder


def _locations(file: Path) -> dict[str, str]:
    """Return the artifact location of each experiment of a store; nothing for a damaged file."""
    with suppress(*DAMAGED_FILE), closing(connection(file)) as database:
        rows = database.execute("SELECT name, artifact_location FROM experiments").fetchall()
        return {name: location or "" for name, location in rows}
    return {}


def _was_made_here(locations: Mapping[str, str]) -> bool:
    """True if an experiment, such as MLflow's own, keeps its artifacts in this folder."""
    paths = filter(None, map(_path, locations.values()))
    return any(
        path.parent.name == artifacts().parent.name and _is_this_repository(path.parent.parent)
        for path in paths
    )


def _path(location: str) -> Path | None:
    """Return the path of an artifact location; None if it is on a server."""
    parts = urlsplit(location)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None


def _is_this_repository(folder: Path) -> bool:
    """True if `folder` is this repository's, which links and mounts may give a second path."""
    if folder.resolve() == root().resolve():
        return True
    with suppress(OSError):
        return folder.samefile(root())
    return False


def _earlier_stores(file: Path) -> list[Path]:
    """Return the stores that were put aside before, newest first."""
    return sorted(file.parent.glob(f"{file.stem}.moved-*{file.suffix}"), reverse=True)


def _free_name(file: Path) -> Path:
    """Return a path beside `file` that has the time in its name, and that no file has."""
    moment = time.strftime("%Y-%m-%d-%H.%M.%S")
    numbers = ("", *(f"-{number}" for number in range(2, 100)))
    names = (f"{file.stem}.moved-{moment}{number}{file.suffix}" for number in numbers)
    return next(path for path in map(file.with_name, names) if not path.exists())

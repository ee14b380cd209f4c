"""Results that wait for their store, each in a folder that is named by the md5 of its run.json."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.results import lock_file
from pipeline.results.place import Place, run_md5, text_of
from pipeline.results.provenance import Origin
from pipeline.settings import environment, files, safe_path
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

FOLDER = f"{files.STATE_FOLDER}/waiting"
ORIGIN = "origin.json"


class Waiting(Place):
    """A folder that holds a result until there is a store for its run."""

    def __str__(self) -> str:
        return f"{FOLDER}/{self.md5}"

    def identity(self) -> dict[str, Any]:
        """Return the content of its run.json. Raises UserError if it is not what the md5 says."""
        try:
            content: dict[str, Any] = json.loads(text_of(self.file(files.RUN.name)))
            if run_md5(content) != self.md5:
                raise ValueError
            dict(content["params"])
            lock_file.check_outs(content["outs"].items(), f"{self}/{files.RUN.name}")
            if not safe_path.is_id(content["training_id"]):
                raise ValueError
        except (OSError, *lock_file.MALFORMED):
            raise UserError(
                f"{self}/{files.RUN.name} is damaged: it is not what its folder's name says"
            ) from None
        return content

    def origin(self) -> Origin:
        """Return the origin that was kept with the result."""
        try:
            fields = json.loads(text_of(self.file(ORIGIN)))
            return Origin(**fields | {"changed": tuple(fields["changed"])})
        except (OSError, *lock_file.MALFORMED) as error:
            raise UserError(f"{self}/{ORIGIN} is damaged ({type(error).__name__})") from None

    def file(self, path: str) -> Path:
        """Return the path of a file in the folder; UserError if a link leads out of the folder."""
        assert self.folder is not None
        return safe_path.below(self.folder, path, str(self))


def _root() -> Path:
    return files.root() / FOLDER


def keep(identity: Mapping[str, Any], origin: Origin) -> None:
    """Keep what a run of the result in this folder needs, until there is a store for it.

    The next result would take its place in this folder. The tables are left to DVC's cache.
    """
    target = _root() / run_md5(identity)
    files.remove_dead(_root(), r"[0-9a-f]{32}(\.gone)?")
    paths = [params_yaml.PATH, environment.REQUIREMENTS]
    outs = filter(lock_file.is_inside, identity["outs"])
    paths += [Path(out) for out in outs if Path(out).parts[0] != files.TRAIN.parts[0]]
    kept_origin = asdict(origin) | {"time": origin.time or time.time_ns() // 1_000_000}
    partial = files.partial_name(target)
    try:
        for path in paths:
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, partial / path)
        files.write_json(partial / ORIGIN, kept_origin)
        files.write_json(partial / files.RUN.name, identity)
        _remove(target)
        try:
            partial.rename(target)
        except OSError:
            if not target.is_dir():  # another process has kept the same result meanwhile
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def results() -> Iterator[Waiting]:
    """Yield the results that wait for their store."""
    for folder in sorted(_root().glob("*")):
        if safe_path.is_md5(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield Waiting(folder.name, folder=folder)


def forget(place: Place) -> None:
    """Remove what was kept of a result, now that its run exists."""
    if isinstance(place, Waiting) and place.folder is not None and place.folder.parent == _root():
        _remove(place.folder)


def is_forgotten(place: Place) -> bool:
    """Return True if a result waited and waits no more: another process has made its run."""
    return isinstance(place, Waiting) and place.folder is not None and not place.folder.exists()


def _remove(folder: Path) -> None:
    """Remove a result that waits, whole or not at all; it may be gone already."""
    gone = files.partial_name(folder.with_name(f"{folder.name}.gone"))
    with suppress(FileNotFoundError):
        folder.rename(gone)
        shutil.rmtree(gone)

"""Results that wait for their store, each in a folder with the md5 of its run.json as name."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.results import lock_file
from pipeline.results.place import Place, lossy_text, run_md5
from pipeline.results.provenance import Origin
from pipeline.settings import environment, files, safe_path
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

RESULTS_FOLDER = f"{files.STATE_FOLDER}/waiting"
ORIGIN_FILE = "origin.json"


class Waiting(Place):
    """A folder that holds a result until there is a store for its run."""

    def __str__(self) -> str:
        return f"{RESULTS_FOLDER}/{self.md5}"

    def identity(self) -> dict[str, Any]:
        """Return the content of its run.json. Raises UserError if the file has another md5."""
        try:
            content: dict[str, Any] = json.loads(lossy_text(self.file(files.RUN.name)))
            if run_md5(content) != self.md5:
                raise ValueError
            dict(content["params"])
            lock_file.check_outs(content["outs"].items(), f"{self}/{files.RUN.name}")
            if not safe_path.is_id(content["training_id"]):
                raise ValueError
        except (OSError, *lock_file.MALFORMED_ERRORS):
            raise UserError(
                f"{self}/{files.RUN.name} is damaged: its md5 is not the name of its folder"
            ) from None
        return content

    def origin(self) -> Origin:
        """Return the origin that was kept with the result."""
        try:
            fields = json.loads(lossy_text(self.file(ORIGIN_FILE)))
            return Origin(**fields | {"changed": tuple(fields["changed"])})
        except (OSError, *lock_file.MALFORMED_ERRORS) as error:
            raise UserError(f"{self}/{ORIGIN_FILE} is damaged ({type(error).__name__})") from None

    def file(self, path: str) -> Path:
        """Return the path of a file in the folder; UserError if a link leads out of the folder."""
        assert self.folder is not None
        return safe_path.below(self.folder, path, str(self))


def _results_folder() -> Path:
    return files.root() / RESULTS_FOLDER


def keep(identity: Mapping[str, Any], origin: Origin) -> None:
    """Keep the files that a run of the result in this folder needs, until there is a store for it.

    The next result overwrites them in this folder. The tables are in DVC's cache.
    """
    target = _results_folder() / run_md5(identity)
    files.remove_dead(_results_folder(), r"[0-9a-f]{32}(\.gone)?")
    paths = [params_yaml.PATH, environment.REQUIREMENTS]
    outs = filter(lock_file.is_inside, identity["outs"])
    paths += [Path(out) for out in outs if Path(out).parts[0] != files.TRAIN.parts[0]]
    partial = files.partial_name(target)
    try:
        for path in paths:
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, partial / path)
        files.write_json(partial / ORIGIN_FILE, asdict(origin))
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
    for folder in sorted(_results_folder().glob("*")):
        if safe_path.is_md5(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield Waiting(folder.name, folder=folder)


def forget(place: Place) -> None:
    """Remove the kept files of a result, now that its run exists."""
    if (
        isinstance(place, Waiting)
        and place.folder is not None
        and place.folder.parent == _results_folder()
    ):
        _remove(place.folder)


def is_forgotten(place: Place) -> bool:
    """Return True if a result no longer waits: another process has made its run."""
    return isinstance(place, Waiting) and place.folder is not None and not place.folder.exists()


def _remove(folder: Path) -> None:
    """Remove the folder of a result, whole or not at all; it may be gone already."""
    gone = files.partial_name(folder.with_name(f"{folder.name}.gone"))
    with suppress(FileNotFoundError):
        folder.rename(gone)
        shutil.rmtree(gone)

"""Gather the files of a result from its commit or folder and from DVC's cache."""

import errno
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.results import dvc_cache, git
from pipeline.results.place import Place
from pipeline.settings import declared, dvc_md5, environment, safe_path
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError


@contextmanager
def gathered(place: Place, identity: Mapping[str, Any]) -> Iterator[tuple[Path, list[str]]]:
    """Yield a temporary folder with the files of a result, and the outputs that are missing.

    The content of each output has its md5: a file that was changed by hand, in a commit or in the
    cache, counts as missing. Outputs that dvc.yaml does not declare here are left out: see
    `undeclared_outs`. Raises UserError if a path leads out of its folder.
    """
    with tempfile.TemporaryDirectory(prefix="abline-") as name:
        folder, extracted = Path(name) / "result", Path(name) / "git"
        folder.mkdir()
        kept_in_git = [str(params_yaml.PATH), str(environment.REQUIREMENTS)]
        declared_outs = _declared_outs()
        outs = {path: md5 for path, md5 in identity["outs"].items() if path in declared_outs}
        if place.commit is not None:
            git.extract(place.commit, [*kept_in_git, *outs], extracted)

        def source(path: str) -> Path:
            return extracted / path if place.folder is None else place.file(path)

        for path in kept_in_git:
            if source(path).is_file():
                shutil.copyfile(source(path), folder / path)
        missing = []
        for path, md5 in outs.items():
            target = safe_path.below(folder, path, str(place))
            target.parent.mkdir(parents=True, exist_ok=True)
            here = source(path)
            if _is_plain(here) and dvc_md5.of(here) == md5:
                target.symlink_to(here.absolute())
            elif not dvc_cache.link(md5, target):
                missing.append(path)
        yield folder, missing


def undeclared_outs(identity: Mapping[str, Any]) -> list[str]:
    """Return the outputs of a result that dvc.yaml does not declare in this folder."""
    return sorted(set(identity["outs"]) - _declared_outs())


def _declared_outs() -> set[str]:
    return {out for stage in declared.stages().values() for out in stage["outs"]}


def _is_plain(path: Path) -> bool:
    """Return True for a file, and for a folder without links and pipes, which no md5 covers."""
    return path.is_file() or (
        path.is_dir()
        and all(
            each.is_file() or (each.is_dir() and not each.is_symlink()) for each in path.rglob("*")
        )
    )


def fetch_advice(places: Sequence[Place]) -> str:
    """Return the commands that may bring the files of results; empty if there is no remote."""
    _, has_remote = dvc_cache.location()
    if not has_remote:
        return ""
    commands = []
    experiments = [place.experiment for place in places if place.experiment is not None]
    if len(experiments) < len(places):
        commands.append("`dvc fetch --all-commits`")
    if experiments and (remotes := git.ask("remote")):
        # A name may be a stranger's, and the command is pasted into a shell.
        commands.append(f"`dvc exp pull {remotes.split()[0]} {shlex.join(experiments)}`")
    return f"{' and '.join(commands)} may bring them" if commands else ""


@contextmanager
def reading() -> Iterator[None]:
    """Raise UserError for any error that a stranger's file can cause, except failures of a disk."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _DISK_ERROR_NUMBERS:
            raise
        # An OSError would name a temporary folder.
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(
            f"its files are not what this pipeline writes ({type(error).__name__}: {why})"
        ) from error


_DISK_ERROR_NUMBERS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EMFILE,
    errno.ENFILE,
}

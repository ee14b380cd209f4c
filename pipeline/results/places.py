"""All places of results: commits, DVC's experiments, this folder, and results without a store."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.results import git, lock_file, waiting
from pipeline.results.place import Place, lossy_text
from pipeline.settings.declared import DVC_LOCK
from pipeline.settings.errors import UserError


def everywhere() -> dict[str, list[Place]]:
    """Return all places by the md5 of their result's run.json.

    The order is: commits from the oldest to the newest, experiments, this folder, results that wait
    for a store. The dvc.lock of a `dvc repro` that did not reach its end names no result.
    """
    places: dict[str, list[Place]] = {}
    for place in (*_in_commits(), *_in_experiments(), *_in_folder(), *waiting.results()):
        places.setdefault(place.md5, []).append(place)
    return places


def at(commit: str) -> Place | None:
    """Return the result of a commit as a place; None if the commit has none."""
    (lock,) = _locks([commit])
    return next(_with_results([(lock, {"commit": commit})]), None)


def named(name: str) -> Place | None:
    """Return the result of the experiment or the commit with this name; None if there is none."""
    for place in _in_experiments():
        if place.experiment == name:
            return place
    commit = commit_named(name)
    return at(commit) if commit else None


def in_folder() -> Place | None:
    """Return the result in this folder; None if `dvc repro` has not reached its end."""
    return next(_in_folder(), None)


def newest_other(md5: str) -> Place | None:
    """Return the newest commit of the branch with another result than `md5`; None if none has."""
    others = [place for place in _in_commits() if place.md5 != md5]
    return others[-1] if others else None


def commit_named(name: str) -> str | None:
    """Return the hash of the commit with this name; None if there is no such commit."""
    if name.startswith("-"):  # git would take it for an option
        return None
    return git.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")


def _in_commits() -> Iterator[Place]:
    """Yield the commits of the current branch that changed dvc.lock."""
    commits = (git.ask("rev-list", "--reverse", "HEAD", "--", f"./{DVC_LOCK}") or "").split()
    pairs = zip(_locks(commits), commits, strict=True)
    return _with_results((lock, {"commit": commit}) for lock, commit in pairs)


def _in_experiments() -> Iterator[Place]:
    """Yield DVC's experiments, based on any commit."""
    refs = git.ask("for-each-ref", "--format=%(objectname) %(refname)", "refs/exps") or ""
    named = [re.fullmatch(r"(\w+) refs/exps/(\w\w/\w{38,})/(.+)", ref) for ref in refs.splitlines()]
    fields = [
        {"commit": ref[1], "baseline": ref[2].replace("/", ""), "experiment": ref[3]}
        for ref in named
        if ref is not None
    ]
    locks = _locks([each[key] for each in fields for key in ("commit", "baseline")])
    for lock, before, each in zip(locks[::2], locks[1::2], fields, strict=True):
        yield from _with_results([(lock, each | {"before": before or ""})])


def _in_folder() -> Iterator[Place]:
    """Yield the result in this folder, if there is one."""
    try:
        lock = lossy_text(DVC_LOCK) if DVC_LOCK.is_file() else None
    except OSError as error:
        raise UserError(
            f"{DVC_LOCK}: it cannot be read ({error.strerror}); make it readable"
        ) from None
    if lock is not None and len(lock) > lock_file.LARGEST_LOCK_BYTES:
        lock = lock_file.LOCK_TOO_LARGE
    yield from _with_results([(lock, {"folder": Path.cwd()})])


def _with_results(locks: Iterable[tuple[str | None, Mapping[str, Any]]]) -> Iterator[Place]:
    """Yield a place for each dvc.lock that names a result, to be compared with the lock before it.

    locks: texts of dvc.lock, each with the other fields of its Place.
    """
    before = ""
    for lock, fields in locks:
        md5 = lock_file.recorded_md5(lock or "")
        if lock == lock_file.LOCK_TOO_LARGE:  # its replay says that it is damaged
            md5 = fields.get("commit", str(DVC_LOCK))
        if lock is not None and md5 is not None:
            yield Place(md5, lock, **{"before": before, **fields})
        before = lock or before


def _locks(commits: Sequence[str]) -> list[str | None]:
    """Return the dvc.lock of each commit: None if it is missing, or LOCK_TOO_LARGE."""
    names = [f"{commit}:./{DVC_LOCK}" for commit in commits]
    return [
        lock_file.LOCK_TOO_LARGE
        if isinstance(content, int)
        else (content.decode(errors="replace") if content is not None else None)
        for content in git.blobs(names, lock_file.LARGEST_LOCK_BYTES)
    ]

"""Where results are: in commits, in DVC's experiments, in this folder, and those still to track.

A result is named by the md5 of its run.json, which dvc.lock has. What made it and what came out can
be read from there, from git and from DVC's cache, without running anything.
"""

import functools
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import UserError, files, lineage, stage
from pipeline import params as params_yaml
from pipeline.lineage import Origin
from pipeline.params import Tracking

LOCK = Path("dvc.lock")
_RUN = re.compile(rf"- path: {re.escape(str(files.RUN))}\n +hash: md5\n +md5: (\w+)")


_VALUES = re.compile(
    rf"^    (?:params:|- path: {re.escape(str(files.TRAIN.parent))}/.*)\n(?:      .*\n)*",
    re.MULTILINE,
)
"""The lines of a dvc.lock with parameters and tables."""


@dataclass(frozen=True)
class Place:
    """Where a result is: in a commit, which may be an experiment's, or in a folder."""

    md5: str
    """That of its run.json."""
    lock: str
    """The text of dvc.lock; empty for a result that waits for its store."""
    before: str = ""
    """The dvc.lock that its parameters are compared with in its name."""
    commit: str | None = None
    folder: Path | None = None
    experiment: str | None = None
    baseline: str | None = None

    def __str__(self) -> str:
        if self.experiment:
            return f"experiment {self.experiment}"
        return f"commit {self.commit[:7]}" if self.commit else "this folder"

    @functools.cached_property
    def stages(self) -> dict[str, Any]:
        """The stages as dvc.lock has them."""
        return _stages(self.lock)

    def identity(self) -> dict[str, Any]:
        """The content of its run.json, put together anew."""
        if self.folder is not None and not self.lock:
            content: dict[str, Any] = json.loads((self.folder / files.RUN.name).read_bytes())
            return content
        # dvc.lock has the values as params.yaml wrote them, run.json as they were checked.
        checked = _checked(self.read(params_yaml.PATH))
        found = [lineage.identity_in(self.stages, values) for values in (checked, {})]
        same = [each for each in found if md5(each) == self.md5]
        return next(iter(same or found))

    def origin(self) -> Origin:
        """Where it comes from, for the run that shows it."""
        if self.commit is None:
            assert self.folder is not None
            if self.lock:
                return Origin.here(params_yaml.load())
            known = json.loads((self.folder / ORIGIN).read_bytes())
            return Origin(**known | {"changed": tuple(known["changed"])})
        who = lineage.git("show", "-s", "--format=%ct %an", self.commit) or "0 "
        seconds, _, user = who.partition(" ")
        place = (self.experiment or self.commit[:7]) + " + changes" * bool(self.changed)
        changes = self.changes()
        other_data = not changes and varies(self.lock, self.before or self.lock)
        name = f"{lineage.differences(changes, other_data)} ({place})"
        return Origin(
            name=name,
            commit=self.commit,
            changed=self.changed,
            experiment=self.experiment,
            baseline=self.baseline,
            user=user or None,
            time=int(seconds) * 1000,
            place=place,
            changes=changes,
        )

    def settings(self, ours: Tracking) -> Tracking:
        """Its own words on tracking; `ours` where they cannot be read any more."""
        try:
            theirs = params_yaml.parse(self.read(params_yaml.PATH) or "").tracking
        except UserError:
            return ours
        return theirs.model_copy(update={"model_name": ours.model_name})

    @functools.cached_property
    def changed(self) -> tuple[str, ...]:
        """Files that made the result and are others in the commit, which then names it wrongly."""
        assert self.commit is not None
        made_by = {
            file["path"]: file["md5"]
            for each in self.stages.values()
            for file in each.get("deps", ())
            if not file.get("md5", ".dir").endswith(".dir")
        }
        held = _blobs([f"{self.commit}:./{path}" for path in made_by])
        return tuple(
            path
            for (path, wanted), content in zip(made_by.items(), held, strict=True)
            if content is not None and hashlib.md5(content).hexdigest() != wanted
        )

    def changes(self) -> dict[str, Any]:
        """The parameters that have another value than in the dvc.lock before."""
        before = parameters(_stages(self.before)) if self.before else {}
        now = parameters(self.stages)
        return {key: value for key, value in now.items() if before.get(key, value) != value}

    def read(self, path: Path) -> str | None:
        """The text of a file that git keeps there."""
        if self.commit is not None:
            return lineage.git("show", f"{self.commit}:./{path}")
        assert self.folder is not None
        file = self.folder / path
        return file.read_text(encoding="utf-8") if file.is_file() else None


def parameters(stages: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters in the stages of a dvc.lock."""
    found: dict[str, Any] = {}
    for each in stages.values():
        found |= each.get("params", {}).get(str(params_yaml.PATH), {})
    return found


def tables(stages: Mapping[str, Any]) -> dict[str, Any]:
    """The md5 of each table that the stages of a dvc.lock trained and measured with."""
    return {
        file["path"]: file.get("md5")
        for each in stages.values()
        for file in each.get("outs", ())
        if Path(file["path"]).parts[0] == files.TRAIN.parts[0]
    }


def varies(lock: str, before: str) -> bool:
    """Whether a dvc.lock has another parameter or another table than the one before.

    What only one of them has is no difference: it came or went with the code.
    """
    # Most commits of a long history change neither, and to parse a dvc.lock takes 10 ms.
    if _VALUES.findall(lock) == _VALUES.findall(before):
        return False
    try:
        pairs = [(read(_stages(lock)), read(_stages(before))) for read in (parameters, tables)]
    except UserError:  # whoever replays it will say what is wrong
        return True
    return any(now[key] != then[key] for now, then in pairs for key in now.keys() & then.keys())


def md5(identity: Mapping[str, Any]) -> str:
    """That of the run.json with this content."""
    return hashlib.md5(files.json_bytes(identity)).hexdigest()


@functools.lru_cache(maxsize=4)
def _stages(lock: str) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        stages: dict[str, Any] = yaml.load(lock, Loader=loader)["stages"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UserError(f"{LOCK} is damaged ({type(error).__name__})") from None
    if not {"train", "track"} <= set(stages):
        raise UserError(f"{LOCK} is not of this pipeline: it has no train or no track")
    return stages


def _checked(text: str | None) -> dict[str, Any]:
    """Parameters as they are checked; none if params.yaml has other keys than today's."""
    try:
        return params_yaml.flatten(params_yaml.parse(text or ""))
    except UserError:
        return {}


def everywhere() -> dict[str, list[Place]]:
    """All results, by the md5 of their run.json: commits, oldest first, experiments, this folder.

    Those that wait for a store come last. A dvc.lock of a `dvc repro` that did not come to its end
    names no result.
    """
    found: dict[str, list[Place]] = {}
    for place in (*_commits(), *_experiments(), *_folder(), *waiting()):
        found.setdefault(place.md5, []).append(place)
    return found


def at(commit: str) -> Place | None:
    """The result that a commit holds."""
    (lock,) = _locks([commit])
    return next(_places([(lock, {"commit": commit})]), None)


def _commits() -> Iterator[Place]:
    """Those of the current branch that changed dvc.lock."""
    commits = (lineage.git("rev-list", "--reverse", "HEAD", "--", f"./{LOCK}") or "").split()
    return _places((lock, {"commit": c}) for lock, c in zip(_locks(commits), commits, strict=True))


def _experiments() -> Iterator[Place]:
    """DVC's experiments, on whatever commit they are based."""
    refs = lineage.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/exps") or ""
    named = [re.fullmatch(r"(\w+) refs/exps/(\w\w/\w{38,})/(.+)", ref) for ref in refs.splitlines()]
    each = [
        {"commit": ref[1], "baseline": ref[2].replace("/", ""), "experiment": ref[3]}
        for ref in named
        if ref is not None
    ]
    locks = _locks([about[key] for about in each for key in ("commit", "baseline")])
    for lock, before, about in zip(locks[::2], locks[1::2], each, strict=True):
        yield from _places([(lock, about | {"before": before or ""})])


def _folder() -> Iterator[Place]:
    """The result that lies in the folder itself."""
    if LOCK.is_file():
        yield from _places([(LOCK.read_text(encoding="utf-8"), {"folder": Path.cwd()})])


def _places(locks: Any) -> Iterator[Place]:
    before = ""
    for lock, about in locks:
        if lock is not None and (named := _RUN.search(lock)):
            yield Place(named[1], lock, **{"before": before} | about)
        before = lock or before


def _locks(commits: Sequence[str]) -> list[str | None]:
    """The dvc.lock of each commit, if it has one."""
    held = _blobs([f"{commit}:./{LOCK}" for commit in commits])
    return [None if content is None else content.decode(errors="replace") for content in held]


def _blobs(names: Sequence[str]) -> list[bytes | None]:
    """What git keeps under each name, such as HEAD:./dvc.lock; None where there is no file."""
    if not names:
        return []
    asked = "".join(f"{name}\n" for name in names).encode()
    done = subprocess.run(["git", "cat-file", "--batch"], input=asked, capture_output=True)
    answer = io.BytesIO(done.stdout)
    held: list[bytes | None] = []
    for _ in names:
        *_, kind, size = (b" " + answer.readline()).split(b" ")
        is_file = kind == b"blob"
        held.append(answer.read(int(size)) if is_file else None)
        if is_file:
            answer.readline()
    return held


# Results that wait for their store.

ORIGIN = "origin.json"


def _waiting() -> Path:
    return files.root() / files.OURS / "waiting"


def keep(identity: Mapping[str, Any], origin: Origin) -> None:
    """Keep what a run of the result in this folder needs, until there is a store for it.

    The next result would take its place in this folder. The tables are left to DVC's cache.
    """
    place = _waiting() / md5(identity)
    partial = place.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    paths = [params_yaml.PATH, stage.REQUIREMENTS]
    paths += [Path(out) for out in identity["outs"] if Path(out).parts[0] != files.TRAIN.parts[0]]
    for path in paths:
        (partial / path).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, partial / path)
    made = asdict(origin) | {"time": origin.time or lineage.milliseconds()}
    files.write_json(partial / ORIGIN, made)
    files.write_json(partial / files.RUN.name, identity)
    shutil.rmtree(place, ignore_errors=True)
    partial.rename(place)


def waiting() -> Iterator[Place]:
    """The results that wait for their store."""
    for folder in sorted(_waiting().glob("*")):
        if folder.suffix != ".partial":
            yield Place(folder.name, "", folder=folder)


def forget(place: Place) -> None:
    """Drop what was kept of a result, now that its run is there."""
    if place.folder is not None and place.folder.parent == _waiting():
        shutil.rmtree(place.folder)


# Files.


@contextmanager
def gathered(place: Place, identity: Mapping[str, Any]) -> Iterator[tuple[Path, list[str]]]:
    """A folder with the files of a result, as far as they are at hand, and the outputs missing.

    Each is what its md5 says: one that was changed by hand, in a commit, counts as missing.
    """
    with tempfile.TemporaryDirectory(prefix="abline-") as name:
        folder = Path(name)
        plain = [str(params_yaml.PATH), str(stage.REQUIREMENTS)]
        if place.commit is not None:
            _extract(place.commit, [*plain, *identity["outs"]], folder)
        missing = []
        for path in plain:
            if place.folder is not None and (place.folder / path).exists():
                shutil.copy2(place.folder / path, folder / path)
        for path, md5 in identity["outs"].items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            here = place.folder / path if place.folder is not None else target
            if here.exists() and lineage.md5(here) == md5:
                if here != target:
                    target.symlink_to(here.absolute())
                continue
            if target.is_dir():
                shutil.rmtree(target)
            target.unlink(missing_ok=True)
            if not _link(md5, target):
                missing.append(path)
        yield folder, missing


def _extract(commit: str, paths: Sequence[str], folder: Path) -> None:
    """Write what git keeps of `paths` in a commit to a folder."""
    listed = lineage.git("ls-tree", "-r", "-z", "--name-only", commit, "--", *paths) or ""
    if not listed:
        return
    names = [name for name in listed.split("\0") if name]
    # Names, not patterns: whatever letters they have.
    command = ["git", "--literal-pathspecs", "archive", "--format=tar", commit, "--", *names]
    archive = subprocess.run(command, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")


def is_cached(md5: str) -> bool:
    """Whether DVC's cache has a file."""
    place = _cached(md5)
    return place is not None and place.is_file()


def _cached(md5: str) -> Path | None:
    cache = _cache()
    return cache / md5[:2] / md5[2:] if cache else None


@functools.cache
def _cache() -> Path | None:
    """The folder of DVC's cache, which may be shared with other repositories."""
    from dvc.exceptions import DvcException  # only here: half a second
    from dvc.repo import Repo

    try:
        with Repo(str(files.root())) as repo:
            return Path(repo.cache.local.path)
    except DvcException:
        return None


def has_remote() -> bool:
    """Whether DVC has a default remote to fetch from."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(files.root())) as repo:
            return bool(repo.config["core"].get("remote"))
    except DvcException:
        return False


def _link(md5: str, target: Path) -> bool:
    """Let `target` be what DVC's cache has under `md5`; say whether it has it."""
    place = _cached(md5)
    if place is None or not place.is_file():
        return False
    if not md5.endswith(".dir"):
        target.symlink_to(place)
        return True
    whole = True
    for entry in json.loads(place.read_bytes()):
        (target / entry["relpath"]).parent.mkdir(parents=True, exist_ok=True)
        whole = _link(entry["md5"], target / entry["relpath"]) and whole
    return whole

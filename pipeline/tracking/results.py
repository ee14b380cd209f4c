"""Where results are: in commits, in DVC's experiments, in this folder, and those still to track.

A result is named by the md5 of its run.json, which dvc.lock has. What made it and what came out can
be read from there, from git and from DVC's cache, without running anything.

Whatever is read here may come from a stranger: SECURITY.md says what is done about that. The files
of a result are written into temporary folders, and nothing else is written or removed.
"""

import functools
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.settings import declared, environment, files, ids, regular_file, safe_path, yaml_file
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking
from pipeline.tracking import provenance, wire
from pipeline.tracking.provenance import Origin

LOCK = Path("dvc.lock")
LARGEST_LOCK = 1_000_000
"""Bytes of a dvc.lock, of which this pipeline's has 20,000."""
LARGEST_LIST = 10_000_000
"""Bytes of DVC's list of the files in a folder."""
LARGEST_FILE = 100_000_000
"""Bytes of a file that is read from a commit; hosts of git take no larger ones."""
TOO_LARGE = f"# larger than {LARGEST_LOCK} bytes"
"""The text that stands for a dvc.lock which is not read."""
_RUN = re.compile(rf"- path: {re.escape(str(files.RUN))}\n +hash: md5\n +md5: ([0-9a-f]{{32}})\b")
_NOT_AS_WRITTEN = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Errors in reading a file that this pipeline or DVC did not write, or that was changed."""


class LackingError(UserError):
    """Files of a result are not at hand: they may be brought."""


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
        if self.is_waiting:
            return f"{files.OURS}/{WAITING}/{self.md5}"
        return f"commit {self.commit[:7]}" if self.commit else "this folder"

    @functools.cached_property
    def stages(self) -> dict[str, Any]:
        """The stages as dvc.lock has them. Raises UserError if it is damaged."""
        return _stages(self.lock)

    def identity(self) -> dict[str, Any]:
        """The content of its run.json, put together anew.

        Raises UserError if it cannot be, or names a file that could lie outside the repository.
        """
        if self.is_waiting:
            return self._kept_identity()
        # dvc.lock has the values as params.yaml wrote them, run.json as they were checked.
        checked = _checked(self.read(params_yaml.PATH))
        try:
            found = [ids.identity_in(self.stages, values) for values in (checked, {})]
        except _NOT_AS_WRITTEN as error:
            raise UserError(f"{LOCK} is damaged ({type(error).__name__})") from None
        same = [each for each in found if md5(each) == self.md5]
        # Where neither is what dvc.lock names, it is the lock's own: params.yaml may be another's.
        return next(iter(same or found[1:]))

    def _kept_identity(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(_text(self.file(files.RUN.name)))
            if md5(content) != self.md5:
                raise ValueError
            dict(content["params"])
            _check_outs(content["outs"].items(), f"{self}/{files.RUN.name}")
            if not safe_path.is_id(content["training_id"]):
                raise ValueError
        except (OSError, *_NOT_AS_WRITTEN):
            raise UserError(
                f"{self}/{files.RUN.name} is damaged: it is not what its folder's name says"
            ) from None
        return content

    def origin(self) -> Origin:
        """Where it comes from, for the run that shows it."""
        if self.commit is None:
            assert self.folder is not None
            if not self.is_waiting:
                return Origin.here(params_yaml.load())
            try:
                known = json.loads(_text(self.file(ORIGIN)))
                return Origin(**known | {"changed": tuple(known["changed"])})
            except (OSError, *_NOT_AS_WRITTEN) as error:
                raise UserError(f"{self}/{ORIGIN} is damaged ({type(error).__name__})") from None
        who = provenance.git("show", "-s", "--format=%ct %an", self.commit) or "0 "
        seconds, _, user = who.partition(" ")
        place = (self.experiment or self.commit[:7]) + " + changes" * bool(self.changed)
        params_changed, data_changed = self._committed()
        changes = self.changes() if params_changed else {}
        other_data = data_changed and not changes and varies(self.lock, self.before or self.lock)
        name = f"{provenance.differences(changes, other_data, self.changed)} ({place})"
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
            if not file.get("md5", ".dir").endswith(".dir") and _is_inside(file["path"])
        }
        held = _blobs([f"{self.commit}:./{path}" for path in made_by], LARGEST_FILE)
        return tuple(
            path
            for (path, wanted), content in zip(made_by.items(), held, strict=True)
            if isinstance(content, bytes) and hashlib.md5(content).hexdigest() != wanted
        )

    def _committed(self) -> tuple[bool, bool]:
        """Whether the commit changed params.yaml, and whether it changed files of data.

        A commit that only renews a dvc.lock has the parameters that were committed before. Of an
        experiment both are possible, whatever it changed: a baseline may be far behind.
        """
        if self.experiment is not None:
            return True, True
        paths = [str(params_yaml.PATH), files.TRAIN.parts[0]]
        asked = ["--name-only", "--relative", f"{self.commit}^", str(self.commit), "--", *paths]
        names = (provenance.git("diff-tree", "-r", *asked) or "").splitlines()
        return paths[0] in names, any(name != paths[0] for name in names)

    def changes(self) -> dict[str, Any]:
        """The parameters that have another value than in the dvc.lock before."""
        before: dict[str, Any] = {}
        with suppress(UserError):  # one that is damaged says nothing
            before = parameters(_stages(self.before)) if self.before else {}
        now = parameters(self.stages)
        return {key: value for key, value in now.items() if before.get(key, value) != value}

    def read(self, path: Path) -> str | None:
        """The text of a file that git keeps there."""
        if self.commit is not None:
            (content,) = _blobs([f"{self.commit}:./{path}"], yaml_file.LARGEST)
            return content.decode(errors="replace") if isinstance(content, bytes) else None
        file = self.file(str(path))
        return _text(file) if file.is_file() else None

    @property
    def is_waiting(self) -> bool:
        """True if it is kept for a store that failed."""
        return self.folder is not None and not self.lock

    def file(self, path: str) -> Path:
        """Where a file of the result is in its folder.

        In the repository a person's links are followed, and DVC's. What waits has none: UserError
        is raised if one leads out of its folder.
        """
        assert self.folder is not None
        if self.is_waiting:
            return safe_path.below(self.folder, path, str(self))
        return self.folder / safe_path.check(path, str(LOCK))


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


def changes_figures(key: str) -> bool:
    """Whether a parameter, by its dotted key, can change what a model answers or how good it is."""
    return key.partition(".")[0] not in ("export", "tracking")


def varies(lock: str, before: str) -> bool:
    """True if a dvc.lock has another parameter or another table than the one before.

    What only one of them has is no difference: it came or went with the code. Neither is a
    parameter that changes no figure: the page would show the same numbers twice.
    """
    # Most commits of a long history change neither, and to parse a dvc.lock takes 10 ms.
    if _VALUES.findall(lock) == _VALUES.findall(before):
        return False
    try:
        pairs = [(read(_stages(lock)), read(_stages(before))) for read in (parameters, tables)]
    except UserError:  # whoever replays it will say what is wrong
        return True
    return any(
        now[key] != then[key]
        for now, then in pairs
        for key in now.keys() & then.keys()
        if changes_figures(key)
    )


def md5(identity: Mapping[str, Any]) -> str:
    """That of the run.json with this content."""
    return hashlib.md5(files.json_bytes(identity)).hexdigest()


@functools.lru_cache(maxsize=4)
def _stages(lock: str) -> dict[str, Any]:
    """The stages of a dvc.lock, as identity_in and the others here take them to be."""
    if lock == TOO_LARGE or len(lock) > LARGEST_LOCK:
        raise UserError(f"{LOCK} is damaged: it is larger than {LARGEST_LOCK} bytes")
    read = yaml_file.read(lock, LOCK)[0]
    try:
        stages: dict[str, Any] = read["stages"]
        for each in stages.values():
            values = each.get("params", {}).get(str(params_yaml.PATH), {})
            files.json_bytes(dict(values))
            if not all(isinstance(key, str) for key in values):
                raise TypeError
            for file in (*each.get("deps", ()), *each.get("outs", ())):
                if not isinstance(file["path"], str) or not isinstance(file.get("md5", ""), str):
                    raise TypeError
    except _NOT_AS_WRITTEN as error:
        raise UserError(f"{LOCK} is damaged ({type(error).__name__})") from None
    if not {"train", "track"} <= set(stages):
        raise UserError(f"{LOCK} is not of this pipeline: it has no train or no track")
    outs = [file for each in stages.values() for file in each.get("outs", ())]
    _check_outs(((file["path"], file.get("md5")) for file in outs), str(LOCK))
    return stages


def _check_outs(outs: Iterable[tuple[Any, Any]], place: str) -> None:
    """Refuse outputs that could lie outside the repository, or that no md5 names."""
    for path, digest in outs:
        safe_path.check(path, place)
        if not safe_path.is_md5(digest):
            raise UserError(
                f"{place}: the md5 of {path} is not valid: {str(digest)[:80]!r}; must be 32"
                " hexadecimal digits"
            )


def _is_inside(path: str) -> bool:
    try:
        safe_path.check(path, str(LOCK))
    except UserError:
        return False
    return True


def _text(path: Path) -> str:
    """The text of a file. Raises UserError if it is none: to read from a pipe may never end."""
    with regular_file.opened(path) as file:
        return file.read().decode("utf-8", errors="replace")


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
    commits = (provenance.git("rev-list", "--reverse", "HEAD", "--", f"./{LOCK}") or "").split()
    return _places((lock, {"commit": c}) for lock, c in zip(_locks(commits), commits, strict=True))


def _experiments() -> Iterator[Place]:
    """DVC's experiments, on whatever commit they are based."""
    refs = provenance.git("for-each-ref", "--format=%(objectname) %(refname)", "refs/exps") or ""
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
    try:
        lock = _text(LOCK) if LOCK.is_file() else None
        lock = TOO_LARGE if lock is not None and len(lock) > LARGEST_LOCK else lock
    except OSError as error:
        raise UserError(f"{LOCK}: it cannot be read ({error.strerror}); make it readable") from None
    yield from _places([(lock, {"folder": Path.cwd()})])


def _places(locks: Any) -> Iterator[Place]:
    before = ""
    for lock, about in locks:
        named = _RUN.search(lock or "")
        if named or lock == TOO_LARGE:  # whoever replays that will say so
            md5 = named[1] if named else about.get("commit", str(LOCK))
            yield Place(md5, lock, **{"before": before} | about)
        before = lock or before


def _locks(commits: Sequence[str]) -> list[str | None]:
    """The dvc.lock of each commit, if it has one; TOO_LARGE if that is not to be read."""
    return [
        content.decode(errors="replace")
        if isinstance(content, bytes)
        else (TOO_LARGE if content is not None else None)
        for content in _blobs([f"{commit}:./{LOCK}" for commit in commits], LARGEST_LOCK)
    ]


def _blobs(names: Sequence[str], largest: int) -> Iterator[bytes | int | None]:
    """What git keeps under each name, such as HEAD:./dvc.lock; None where there is no file.

    Of a file of more than `largest` bytes only the size is given. One file is in memory at a time.
    """
    if not names:
        return
    asked = "".join(f"{name}\n" for name in names).encode()
    try:
        done = subprocess.run(
            ["git", "cat-file", "--batch-check"], input=asked, capture_output=True
        )
    except OSError:  # there is no git
        yield from [None] * len(names)
        return
    about = [_OBJECT.fullmatch(line) for line in done.stdout.splitlines(keepends=True)]
    blobs = [each if each is not None and each[2] == b"blob" else None for each in about]
    blobs += [None] * (len(names) - len(blobs))  # where there is no repository
    with subprocess.Popen(
        ["git", "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        for each in blobs:
            size = 0 if each is None else int(each[3])
            if each is None or size > largest:
                yield None if each is None else size
                continue
            git.stdin.write(each[1] + b"\n")
            git.stdin.flush()
            git.stdout.readline()
            content = git.stdout.read(size)
            git.stdout.readline()
            yield content


_OBJECT = re.compile(rb"([0-9a-f]{40,64}) (\w+) (\d+)\n")


# Results that wait for their store.

WAITING = "waiting"
ORIGIN = "origin.json"


def _waiting() -> Path:
    return files.root() / files.OURS / WAITING


def keep(identity: Mapping[str, Any], origin: Origin) -> None:
    """Keep what a run of the result in this folder needs, until there is a store for it.

    The next result would take its place in this folder. The tables are left to DVC's cache.
    """
    place = _waiting() / md5(identity)
    files.remove_dead(_waiting(), r"[0-9a-f]{32}(\.gone)?")
    paths = [params_yaml.PATH, environment.REQUIREMENTS]
    outs = filter(_is_inside, identity["outs"])
    paths += [Path(out) for out in outs if Path(out).parts[0] != files.TRAIN.parts[0]]
    made = asdict(origin) | {"time": origin.time or wire.milliseconds()}
    partial = files.partial_name(place)
    try:
        for path in paths:
            (partial / path).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, partial / path)
        files.write_json(partial / ORIGIN, made)
        files.write_json(partial / files.RUN.name, identity)
        _remove(place)
        try:
            partial.rename(place)
        except OSError:
            if not place.is_dir():  # another process has kept the same result meanwhile
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def waiting() -> Iterator[Place]:
    """The results that wait for their store, one in each folder that is named by an md5."""
    for folder in sorted(_waiting().glob("*")):
        if safe_path.is_md5(folder.name) and folder.is_dir() and not folder.is_symlink():
            yield Place(folder.name, "", folder=folder)


def forget(place: Place) -> None:
    """Drop what was kept of a result, now that its run is there."""
    if place.is_waiting and place.folder is not None and place.folder.parent == _waiting():
        _remove(place.folder)


def is_forgotten(place: Place) -> bool:
    """Whether a result waited and waits no more: another process has made its run."""
    return place.is_waiting and place.folder is not None and not place.folder.exists()


def _remove(folder: Path) -> None:
    """Remove a result that waits, whole or not at all; it may be gone already."""
    gone = files.partial_name(folder.with_name(f"{folder.name}.gone"))
    with suppress(FileNotFoundError):
        folder.rename(gone)
        shutil.rmtree(gone)


# Files.


@contextmanager
def gathered(place: Place, identity: Mapping[str, Any]) -> Iterator[tuple[Path, list[str]]]:
    """A folder with the files of a result, as far as they are at hand, and the outputs missing.

    Each is what its md5 says: one that was changed by hand, in a commit or in the cache, counts as
    missing. An output that dvc.yaml does not declare, here and now, is left alone: see undeclared.
    Raises UserError if a path leads out of where it belongs.
    """
    with tempfile.TemporaryDirectory(prefix="abline-") as name:
        folder, kept = Path(name) / "result", Path(name) / "git"
        folder.mkdir()
        plain = [str(params_yaml.PATH), str(environment.REQUIREMENTS)]
        ours = _declared()
        outs = {path: md5 for path, md5 in identity["outs"].items() if path in ours}
        if place.commit is not None:
            _extract(place.commit, [*plain, *outs], kept)

        def source(path: str) -> Path:
            return kept / path if place.folder is None else place.file(path)

        for path in plain:
            if source(path).is_file():
                shutil.copyfile(source(path), folder / path)
        missing = []
        for path, md5 in outs.items():
            target = safe_path.below(folder, path, str(place))
            target.parent.mkdir(parents=True, exist_ok=True)
            here = source(path)
            if _is_plain(here) and ids.md5(here) == md5:
                target.symlink_to(here.absolute())
            elif not _link(md5, target):
                missing.append(path)
        yield folder, missing


def _is_plain(place: Path) -> bool:
    """Whether something is a file, or a folder with files alone, which no md5 says of a folder."""
    return place.is_file() or (
        place.is_dir()
        and all(
            each.is_file() or (each.is_dir() and not each.is_symlink()) for each in place.rglob("*")
        )
    )


def undeclared(identity: Mapping[str, Any]) -> list[str]:
    """Outputs of a result that dvc.yaml does not declare in this folder."""
    return sorted(set(identity["outs"]) - _declared())


def _declared() -> set[str]:
    return {out for each in declared.stages().values() for out in each["outs"]}


def _extract(commit: str, paths: Sequence[str], folder: Path) -> None:
    """Write the files that git keeps under `paths` in a commit to a folder of our own.

    Links and submodules are no files. Raises UserError if a path of the commit leads elsewhere, or
    a file is larger than LARGEST_FILE.
    """
    listed = provenance.git("ls-tree", "-r", "-z", commit, "--", *paths) or ""
    about = [line.partition("\t") for line in listed.split("\0") if line]
    blobs = {path: what.split(" ")[2] for what, _, path in about if what.startswith("100")}
    held = _blobs(list(blobs.values()), LARGEST_FILE)
    for path, content in zip(blobs, held, strict=True):
        target = safe_path.below(folder, path, f"commit {commit[:7]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            raise UserError(f"its {path[:200]!r} in git is larger than {LARGEST_FILE} bytes")
        if content is not None:
            target.write_bytes(content)


def is_cached(md5: str) -> bool:
    """Whether DVC's cache has a file."""
    return _cached(md5) is not None


def _cached(md5: str) -> Path | None:
    """The file that DVC's cache has under an md5: its own, in its own place, not a link."""
    cache, _ = dvc()
    if cache is None or not safe_path.is_md5(md5):
        return None
    place = cache.resolve() / md5[:2] / md5[2:]
    return place if place.is_file() and place.resolve() == place else None


@functools.cache
def dvc() -> tuple[Path | None, bool]:
    """The folder of DVC's cache, maybe shared, and whether there is a default remote to fetch from.

    Cached, because it takes half a second.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(files.root())) as repo:
            return Path(repo.cache.local.path), bool(repo.config["core"].get("remote"))
    except DvcException:
        return None, False


def _link(md5: str, target: Path) -> bool:
    """Let `target` be what DVC's cache has under `md5`; say whether it has it all.

    Raises UserError if a list of files names one that is not below its folder.
    """
    place = _cached(md5)
    if place is None or not _is_what_it_says(place, md5):
        return False
    if not md5.endswith(".dir"):
        target.symlink_to(place)
        return True
    whole = True
    target.mkdir()
    for path, content in _listed(place, md5):
        file = safe_path.below(target, path, f"DVC's list {md5}")
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = _link(content, file) and whole
    return whole


def _is_what_it_says(place: Path, md5: str) -> bool:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() == md5.removesuffix(".dir")


def _listed(place: Path, md5: str) -> list[tuple[str, str]]:
    """Paths and md5s in DVC's list of a folder's files.

    Raises UserError if the list is not valid.
    """
    problem = f"DVC's list {md5} is damaged"
    if place.stat().st_size > LARGEST_LIST:
        raise UserError(f"{problem}: it is larger than {LARGEST_LIST} bytes")
    try:
        listed = [(entry["relpath"], entry["md5"]) for entry in json.loads(place.read_bytes())]
    except _NOT_AS_WRITTEN as error:
        raise UserError(f"{problem} ({type(error).__name__})") from None
    for _, content in listed:
        if not safe_path.is_md5(content) or content.endswith(".dir"):
            raise UserError(f"{problem}: {str(content)[:80]!r} is no md5 of a file")
    if len({path for path, _ in listed if isinstance(path, str)}) < len(listed):
        raise UserError(f"{problem}: it names a file twice")
    return listed

"""Place of a result: a commit, an experiment of DVC, or this folder.

A result is named by the md5 of its run.json, which is in dvc.lock. Its parameters, code and outputs
are read from dvc.lock, git and DVC's cache; no stage runs. All of them may be a stranger's: see
SECURITY.md.
"""

import functools
import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.results import git, lock_file, provenance
from pipeline.results.provenance import Origin
from pipeline.settings import files, ids, regular_file, safe_path, yaml_file
from pipeline.settings import params as params_yaml
from pipeline.settings.declared import DVC_LOCK
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking


def run_md5(identity: Mapping[str, Any]) -> str:
    """Return the md5 of the run.json with this content."""
    return hashlib.md5(files.json_bytes(identity)).hexdigest()


@dataclass(frozen=True)
class Place:
    """A commit, which may be an experiment's, or a folder that holds a result."""

    md5: str
    """md5 of its run.json."""
    lock: str = ""
    """Text of its dvc.lock."""
    before: str = ""
    """The dvc.lock that its parameters are compared with in the name of its run."""
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
        """Stages of its dvc.lock. Raises UserError if the file is damaged."""
        return lock_file.checked_stages(self.lock)

    def identity(self) -> dict[str, Any]:
        """Return the content of its run.json, made from dvc.lock and params.yaml.

        Raises UserError if dvc.lock is damaged, or names a file that could lie outside the
        repository.
        """
        # dvc.lock has the values as params.yaml writes them, run.json the checked values.
        checked = _checked_params(self.read(params_yaml.PATH))
        try:
            identities = [ids.identity_in(self.stages, values) for values in (checked, {})]
        except lock_file.MALFORMED_ERRORS as error:
            raise UserError(f"{DVC_LOCK} is damaged ({type(error).__name__})") from None
        same = [identity for identity in identities if run_md5(identity) == self.md5]
        # If neither has the md5, dvc.lock's own values count: params.yaml may be another result's.
        return next(iter(same or identities[1:]))

    def origin(self) -> Origin:
        """Return the origin of the result, which its run shows."""
        if self.commit is None:
            return Origin.here(params_yaml.load())
        author = git.ask("show", "-s", "--format=%ct %an", self.commit) or "0 "
        seconds, _, user = author.partition(" ")
        place = (self.experiment or self.commit[:7]) + " + changes" * bool(self.changed)
        params_changed, data_changed = self._commit_changed()
        changes = self.changes() if params_changed else {}
        other_data = (
            data_changed and not changes and lock_file.differs(self.lock, self.before or self.lock)
        )
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
        """Return the result's own settings for tracking; `ours` if they are not valid today."""
        try:
            theirs = params_yaml.parse(self.read(params_yaml.PATH) or "").tracking
        except UserError:
            return ours
        return theirs.model_copy(update={"model_name": ours.model_name})

    @functools.cached_property
    def changed(self) -> tuple[str, ...]:
        """Dependencies that have another content in the commit than when the result was made."""
        assert self.commit is not None
        md5s = {
            file["path"]: file["md5"]
            for stage in self.stages.values()
            for file in stage.get("deps", ())
            if not file.get("md5", ".dir").endswith(".dir") and lock_file.is_inside(file["path"])
        }
        contents = git.blobs([f"{self.commit}:./{path}" for path in md5s], git.LARGEST_BLOB_BYTES)
        return tuple(
            path
            for (path, md5), content in zip(md5s.items(), contents, strict=True)
            if isinstance(content, bytes) and hashlib.md5(content).hexdigest() != md5
        )

    def _commit_changed(self) -> tuple[bool, bool]:
        """Return two flags: the commit changed params.yaml, it changed files of data.

        A commit that only renews dvc.lock has the parameters that were committed before. For an
        experiment both are True: its baseline may be many commits older.
        """
        if self.experiment is not None:
            return True, True
        paths = [str(params_yaml.PATH), files.TRAIN.parts[0]]
        question = ["--name-only", "--relative", f"{self.commit}^", str(self.commit), "--", *paths]
        names = (git.ask("diff-tree", "-r", *question) or "").splitlines()
        return paths[0] in names, any(name != paths[0] for name in names)

    def changes(self) -> dict[str, Any]:
        """Return the parameters that have another value than in the dvc.lock before."""
        before: dict[str, Any] = {}
        with suppress(UserError):  # with a damaged dvc.lock nothing can be compared
            before = (
                lock_file.parameters(lock_file.checked_stages(self.before)) if self.before else {}
            )
        now = lock_file.parameters(self.stages)
        return {key: value for key, value in now.items() if before.get(key, value) != value}

    def read(self, path: Path) -> str | None:
        """Return the text of a file of the result that git keeps; None if there is no such file."""
        if self.commit is not None:
            (content,) = git.blobs([f"{self.commit}:./{path}"], yaml_file.LARGEST_YAML_BYTES)
            return content.decode(errors="replace") if isinstance(content, bytes) else None
        file = self.file(str(path))
        return lossy_text(file) if file.is_file() else None

    def file(self, path: str) -> Path:
        """Return the path of a file of the result in its folder.

        Links in the repository are followed: the user or DVC made them.
        """
        assert self.folder is not None
        return self.folder / safe_path.check(path, str(DVC_LOCK))


def lossy_text(path: Path) -> str:
    """Return the text of a regular file, with � for bytes that are not UTF-8.

    Raises UserError if it is no regular file: reading a pipe may never end.
    """
    with regular_file.opened(path) as file:
        return file.read().decode("utf-8", errors="replace")


def _checked_params(text: str | None) -> dict[str, Any]:
    """Return checked parameters; empty if params.yaml has other keys than today's."""
    try:
        return params_yaml.flatten(params_yaml.parse(text or ""))
    except UserError:
        return {}

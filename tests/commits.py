"""A repository with a result in its folder, for commits with any dvc.lock."""

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import environment, job, make

from pipeline.results import dvc_cache
from pipeline.results.place import run_md5
from pipeline.settings import declared, dvc_md5, files, ids
from pipeline.settings import params as params_yaml
from pipeline.tracking import replay

Change = Callable[[dict[str, Any]], None]


def git(folder: Path, *command: str) -> str:
    """Run git in a folder; return its output."""
    done = subprocess.run(
        ["git", *command], cwd=folder, env=environment(), check=True, capture_output=True
    )
    return done.stdout.decode().strip()


class Repository:
    """A folder with git, DVC's cache and a result."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.git("init", "--quiet", "--initial-branch=main")
        (path / ".dvc").mkdir()
        (path / ".dvc/config").touch()
        (path / ".gitignore").write_text("/.dvc\n/mlflow.db\n/mlartifacts\n")
        self.lock = lock_of(job())

    def git(self, *command: str) -> str:
        """Run git here; return its output."""
        return git(self.path, *command)

    def commit(self, lock: str, *paths: str) -> str:
        """Commit a dvc.lock, and the files in `paths`; the folder itself has none afterwards."""
        (self.path / "dvc.lock").write_text(lock)
        self.git("add", "--force", "dvc.lock", "params.yaml", "requirements.txt", *paths)
        self.git("commit", "--quiet", "--message=a stranger's")
        (self.path / "dvc.lock").unlink()
        return self.git("rev-parse", "HEAD")

    def changed(self, change: Change) -> str:
        """Return the dvc.lock of the result after a change, with a run.json of its own."""
        lock = json.loads(json.dumps(self.lock))
        change(lock["stages"])
        text = yaml.safe_dump(lock)
        lock["stages"]["track"]["outs"][0]["md5"] = hashlib.md5(text.encode()).hexdigest()
        return yaml.safe_dump(lock, sort_keys=False)

    def cached(self, content: bytes, kind: str = "") -> str:
        """Put a file into DVC's cache; return its md5."""
        md5 = hashlib.md5(content).hexdigest() + kind
        place = self.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        return md5


def lock_of(params: params_yaml.Params) -> dict[str, Any]:
    """Return the dvc.lock of the result in this folder, as DVC writes it."""
    stages = {}
    for name, stage in declared.stages().items():
        deps = [dep for dep in stage["deps"] if Path(dep).exists()]
        outs = [out for out in stage["outs"] if Path(out).exists()]
        stages[name] = {
            "deps": [{"path": path, "hash": "md5", "md5": dvc_md5.of(Path(path))} for path in deps],
            "params": {"params.yaml": json.loads(json.dumps(ids.stage_params(name, params)))},
            "outs": [{"path": path, "hash": "md5", "md5": dvc_md5.of(Path(path))} for path in outs],
        }
    stages["track"]["outs"] = [{"path": str(files.RUN), "hash": "md5", "md5": "0" * 32}]
    return {"schema": "2.0", "stages": stages}


def with_result(workspace: Path) -> Repository:
    """Make a repository with the tutorial's result in the working directory."""
    make(job())
    files.PLOTS.mkdir(exist_ok=True)
    (files.PLOTS / "fit.svg").write_text("<svg/>")
    dvc_cache.location.cache_clear()
    return Repository(workspace)


@pytest.fixture(name="repository")
def repository_fixture(workspace: Path) -> Iterator[Repository]:
    """See `with_result`."""
    yield with_result(workspace)
    dvc_cache.location.cache_clear()


def replay_all() -> str:
    """Replay all results; return what `track --all` prints."""
    lines, _ = replay.replay_missing(job().tracking, everything=True)
    return "\n".join(lines)


def entry(stages: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the entry of an output in a dvc.lock, to be changed."""
    (out,) = [out for each in stages.values() for out in each["outs"] if out["path"] == str(path)]
    assert isinstance(out, dict)
    return out


def nothing(stages: dict[str, Any]) -> None:
    """Change nothing."""


def another(path: str, md5: str) -> Change:
    """Add an output."""
    return lambda stages: stages["export"]["outs"].append({"path": path, "md5": md5})


def other_md5(path: Path, md5: str) -> Change:
    """Give an output another md5."""
    return lambda stages: entry(stages, path).update(md5=md5)


def lock_text(code: str, data: str = "1", **params: Any) -> str:
    """Return a dvc.lock as DVC writes it, of a pipeline with this code, data and parameters."""

    def digest(content: str) -> str:
        return run_md5({"content": content})

    stages = {
        "train": {
            "deps": [{"path": "pipeline/train.py", "hash": "md5", "md5": digest(code)}],
            "params": {"params.yaml": params},
            "outs": [{"path": "data/train.parquet", "hash": "md5", "md5": digest(data)}],
        },
        "track": {"outs": [{"path": "reports/run.json", "hash": "md5", "md5": digest(code)}]},
    }
    return yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False)

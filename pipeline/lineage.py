"""What made a result: its identity, from dvc.yaml and the files, and the state of git.

training_id   is a hash of all that `train` depends on, known before its first epoch.
result_id     adds the parameters of the other stages and the md5 of every output.

Equal ids mean equal inputs, whoever ran the job, where and when.
"""

import functools
import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import safetensors
import yaml

from pipeline import UserError
from pipeline import params as params_yaml
from pipeline.params import Params

DVC_YAML = Path("dvc.yaml")

Stages = dict[str, dict[str, Any]]


def stages() -> Stages:
    """The stages of dvc.yaml, each with its deps, params and outs (metrics and plots included)."""
    return _parsed(DVC_YAML.read_text(encoding="utf-8"))


@functools.cache  # 8 ms to parse, and a stage asks a dozen times
def _parsed(dvc_yaml: str) -> Stages:
    read: Stages = {}
    for name, stage in yaml.safe_load(dvc_yaml)["stages"].items():
        outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, ())]
        read[name] = {
            "deps": stage["deps"],
            "params": stage.get("params", []),
            # An output is its path, or a mapping of its path to its settings.
            "outs": [next(iter(out)) if isinstance(out, dict) else out for out in outs],
        }
    return read


def training_id(params: Params) -> str:
    """The identity of a training: a hash of the files and parameters that `train` depends on."""
    train = stages()["train"]
    return _hash({"deps": md5s(train["deps"]), "params": stage_params("train", params)})


def trained_by(model: Path) -> str:
    """The training_id that a model.safetensors carries. Raises UserError if it has none."""
    try:
        with safetensors.safe_open(model, framework="np") as file:
            return str(json.loads(file.metadata()["abline"])["training_id"])
    except FileNotFoundError:
        raise UserError(f"{model}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{model}: not this job's model ({error}); `dvc repro` makes it") from None


def result(params: Params, training_id: str) -> dict[str, Any]:
    """The identity of a result: its ids, parameters and outputs, the content of run.json."""
    all_stages = stages()
    others = {
        key: value
        for name in all_stages
        if name != "train"
        for key, value in stage_params(name, params).items()
    }
    # What the last stage writes is this identity itself.
    outs = md5s([out for name in all_stages if name != "track" for out in all_stages[name]["outs"]])
    identity = {"training_id": training_id, "params": others, "outs": outs}
    return {
        "result_id": _hash(identity),
        "training_id": training_id,
        "params": stage_params("train", params) | others,
        "outs": outs,
    }


def stage_params(stage: str, params: Params) -> dict[str, Any]:
    """The parameters that dvc.yaml declares for `stage`: dotted keys and checked values."""
    flat = params_yaml.flatten(params)
    return {key: flat[key] for key in stages()[stage]["params"]}


def md5s(paths: list[str]) -> dict[str, str]:
    """The md5 of each file, as dvc.lock gives it. Raises UserError if one is missing."""
    return {path: md5(Path(path)) for path in sorted(paths)}


def md5(path: Path) -> str:
    """The md5 of a file or a folder, as DVC computes it. Raises UserError if it is missing."""
    if path.is_dir():
        # DVC's hash of a folder: that of the list of its files, in the order of their names.
        names = sorted(
            name.relative_to(path).as_posix() for name in path.rglob("*") if name.is_file()
        )
        listing = [{"md5": md5(path / name), "relpath": name} for name in names]
        return hashlib.md5(json.dumps(listing).encode()).hexdigest() + ".dir"
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def commit() -> str | None:
    """The commit that is checked out, if there is one."""
    return _git("rev-parse", "HEAD")


def changed_files() -> list[str]:
    """Files that differ from the commit, apart from those that DVC itself writes."""
    dvcs_own = {"dvc.lock", *(out for stage in stages().values() for out in stage["outs"])}
    status = _git("status", "--porcelain", "--no-renames", "-z") or ""
    paths = [entry[3:] for entry in status.split("\0") if entry]
    return sorted(
        path
        for path in paths
        if not any(path == own or path.startswith(f"{own}/") for own in dvcs_own)
    )


def changed_code() -> list[str]:
    """Files other than params.yaml that differ from the commit: without them it makes no result."""
    return [path for path in changed_files() if path != str(params_yaml.PATH)]


def changed_params(params: Params) -> dict[str, Any] | None:
    """The parameters whose values differ from the commit's; None where there is no comparison."""
    text = _git("show", f"HEAD:./{params_yaml.PATH}")
    if text is None:
        return None
    try:
        before = params_yaml.flatten(params_yaml.parse(text))
    except UserError:  # the commit is from a time when params.yaml had other keys
        return None
    now = params_yaml.flatten(params)
    return {key: value for key, value in now.items() if value != before[key]}


def run_name(params: Params) -> str:
    """What is particular about this job: what differs from the commit, and experiment or commit."""
    experiment = os.environ.get("DVC_EXP_NAME")
    head = commit()
    changed = changed_params(params)
    if changed:
        # The short ones first: a list of names or rows would push the others out of sight.
        shown = sorted((f"{key}={short(value)}" for key, value in changed.items()), key=len)
        differences = ", ".join(shown)
    else:
        differences = "committed params" if changed is not None else "params not in git"
    place = experiment or (head[:7] if head else "no commit")
    if head and changed_code():
        place += " + changes"
    # `mlflow ui` shows the first 20 letters or so: the difference comes first.
    name = differences if len(differences) <= 200 else differences[:197] + "..."
    return f"{name} ({place})"


def short(value: Any) -> str:
    """A parameter's value on one line, as params.yaml would have it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _git(*arguments: str) -> str | None:
    """What git answers, or None where there is no git, no repository or no such thing in it."""
    try:
        answer = subprocess.run(["git", *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    # Git's files are UTF-8 whatever the locale is.
    return answer.stdout.decode(errors="replace").rstrip("\n")

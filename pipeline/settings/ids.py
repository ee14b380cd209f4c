"""Ids of a training and of a result: hashes of their inputs, parameters and outputs.

training_id   is a hash of all that `train` depends on; it is known before the first epoch.
result_id     adds the parameters of the other stages and the md5 of every output.

Equal ids mean equal inputs, whoever ran the job, where and when.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors

from pipeline.settings import dvc_md5, files, inputs, regular_file, safe_path
from pipeline.settings import params as params_yaml
from pipeline.settings.declared import stages
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


class Training(NamedTuple):
    """Identity of a training.

    id: the training_id. tables: the md5 of each file of data/ that `train` depends on.
    """

    id: str
    tables: Mapping[str, str]


def training(params: Params) -> Training:
    """Return the identity of the training with the files as they are."""
    train = stages()["train"]
    deps = md5s(train["deps"])
    training_id = _hash({"deps": deps, "params": stage_params("train", params)})
    folder = files.TRAIN.parts[0]
    tables = {dep: md5 for dep, md5 in deps.items() if Path(dep).parts[0] == folder}
    return Training(training_id, tables)


def trained_by(model: Path) -> Training:
    """Return the training in a model.safetensors. Raises UserError if the file has none."""
    try:
        regular_file.check(model)
        with safetensors.safe_open(model, framework="np") as file:
            about = json.loads(file.metadata()["abline"])
        training_id, tables = about["training_id"], dict(about["tables"])
        # The id becomes the name of a file, and the model may come from anybody.
        if not safe_path.is_id(training_id):
            raise ValueError(f"its training_id is {str(training_id)[:80]!r}")
        if not all(map(safe_path.is_id, tables.values())):
            raise ValueError(f"the md5s of its tables are {str(tables)[:80]}")
        return Training(training_id, tables)
    except FileNotFoundError:
        raise UserError(f"{model}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{model}: not this job's model ({error}); `dvc repro` makes it") from None


def result(params: Params, training_id: str) -> dict[str, Any]:
    """Return the identity of the result in this folder, which is the content of run.json.

    The identity is: result_id, training_id, parameters and the md5 of each output.
    """
    all_stages = stages()
    values = {name: stage_params(name, params) for name in all_stages}
    # The output of the last stage is this identity itself.
    outs = md5s([out for name in all_stages if name != "track" for out in all_stages[name]["outs"]])
    return _identity(training_id, values, outs)


def identity_in(lock: Mapping[str, Any], checked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the identity of a result from its dvc.lock.

    lock: the stages in dvc.lock. checked: values of parameters to use instead of the values there.
    """
    values = {
        name: {
            key: checked.get(key, value)
            for key, value in stage.get("params", {}).get(str(params_yaml.PATH), {}).items()
        }
        for name, stage in lock.items()
    }
    md5s_of = {
        (name, kind): {file["path"]: file.get("md5") for file in stage.get(kind, ())}
        for name, stage in lock.items()
        for kind in ("deps", "outs")
    }
    training_id = _hash({"deps": md5s_of["train", "deps"], "params": values["train"]})
    outs: dict[str, str] = {}
    for name in lock:
        outs |= md5s_of[name, "outs"] if name != "track" else {}
    return _identity(training_id, values, outs)


def _identity(
    training_id: str, values: Mapping[str, Mapping[str, Any]], outs: Mapping[str, str]
) -> dict[str, Any]:
    others: dict[str, Any] = {}
    for name, of_stage in values.items():
        others |= dict(of_stage) if name != "train" else {}
    identity = {"training_id": training_id, "params": others, "outs": outs}
    return {
        "result_id": _hash(identity),
        "training_id": training_id,
        "params": dict(values["train"]) | others,
        "outs": outs,
    }


def stage_params(stage: str, params: Params) -> dict[str, Any]:
    """Return the parameters that dvc.yaml declares for `stage`: dotted keys and checked values."""
    flat = params_yaml.flatten(params)
    return {key: flat[key] for key in stages()[stage]["params"]}


def md5s(paths: list[str]) -> dict[str, str]:
    """Return the md5 of each file, as in dvc.lock. Raises UserError if a file is missing."""
    # Large inputs of the running stage are not hashed once more.
    return {path: inputs.md5(path) or dvc_md5.of(Path(path)) for path in sorted(paths)}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

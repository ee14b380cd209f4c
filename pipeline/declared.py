"""The stages of dvc.yaml, and the check that they declare what params.yaml has.

DVC watches no other parameters.
"""

import functools
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pipeline import UserError, mistakes, yaml_file

DVC_YAML = Path("dvc.yaml")

Stages = dict[str, dict[str, Any]]

# Which stages must run again when a key of a section changes. `export` writes the parameters of
# the data and of the training into the contract, `track` all of them into the run.
READERS = {
    "data": ("generate", "export", "track"),
    "model": ("train", "evaluate", "export", "track"),
    "train": ("train", "export", "track"),
    "evaluate": ("evaluate", "export", "track"),
    "export": ("export", "track"),
}
NEVER = ("tracking.", "train.checkpoint_seconds")  # they change no result


def stages() -> Stages:
    """Return the stages, each with its deps, params and outs (metrics and plots included).

    Raises UserError if dvc.yaml is missing or damaged, or has no stages.
    """
    return _parsed(yaml_file.text_of(DVC_YAML))


@functools.cache  # 2 ms to parse, and a stage asks a dozen times
def _parsed(dvc_yaml: str) -> Stages:
    read: Stages = {}
    content = yaml_file.read(dvc_yaml, DVC_YAML)[0]
    try:
        for name, stage in content["stages"].items():
            outs = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind) or ()]
            read[name] = {
                "deps": list(stage.get("deps") or ()),
                "params": list(stage.get("params") or ()),
                # An output is its path, or a mapping of its path to its settings.
                "outs": [next(iter(out), "") if isinstance(out, dict) else out for out in outs],
            }
    except (TypeError, KeyError, AttributeError):
        raise UserError(f"{DVC_YAML}: it has no stages; `git checkout {DVC_YAML}`") from None
    return read


def check(keys: Collection[str]) -> None:
    """Refuse a dvc.yaml under which a changed parameter would leave an old result as it is.

    keys: those of params.yaml, dotted. Raises UserError with each one that a stage lacks.
    """
    declared = {name: stage["params"] for name, stage in stages().items()}
    problems = []
    for key in keys:
        needed = READERS.get(key.partition(".")[0], ()) if not key.startswith(NEVER) else ()
        lacking = [name for name in needed if key not in declared.get(name, (key,))]
        if lacking:
            problems.append(
                f"{DVC_YAML}: {key} is not among the params of {', '.join(lacking)}, so DVC would"
                f" not see that it changed; write `- {key}` there"
            )
    if problems:
        count = mistakes.count(len(problems), "mistake")
        raise UserError(
            problems[0]
            if len(problems) == 1
            else "\n  ".join([f"{count} in {DVC_YAML}", *problems])
        )

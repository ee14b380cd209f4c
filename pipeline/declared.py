"""Whether dvc.yaml declares what params.yaml has: DVC watches no other parameters."""

from collections.abc import Collection
from pathlib import Path

from pipeline import UserError, mistakes, yaml_file

DVC_YAML = Path("dvc.yaml")

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


def check(keys: Collection[str]) -> None:
    """Refuse a dvc.yaml under which a changed parameter would leave an old result as it is.

    keys: those of params.yaml, dotted. Raises UserError with each one that a stage lacks.
    """
    stages = yaml_file.read(yaml_file.text_of(DVC_YAML), DVC_YAML)[0]
    try:
        declared = {name: stage.get("params") or () for name, stage in stages["stages"].items()}
    except (TypeError, KeyError, AttributeError):
        raise UserError(f"{DVC_YAML}: it has no stages; `git checkout {DVC_YAML}`") from None
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

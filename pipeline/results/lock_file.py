"""DVC's lock file: the parameters, dependencies and outputs of each stage of a result.

A dvc.lock may be a stranger's: it is checked before anything in it is used (see SECURITY.md).
"""

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.settings import files, safe_path, yaml_file
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

PATH = Path("dvc.lock")
LARGEST = 1_000_000
"""Bytes of a dvc.lock; the one of this pipeline has 20,000."""
TOO_LARGE = f"# larger than {LARGEST} bytes"
"""Text in place of a dvc.lock that is too large to be read."""
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Errors in reading a file that neither this pipeline nor DVC wrote, or that was changed since."""

_RUN = re.compile(rf"- path: {re.escape(str(files.RUN))}\n +hash: md5\n +md5: ([0-9a-f]{{32}})\b")
_VALUES = re.compile(
    rf"^    (?:params:|- path: {re.escape(str(files.TRAIN.parent))}/.*)\n(?:      .*\n)*",
    re.MULTILINE,
)
"""The lines of a dvc.lock with parameters and tables."""


def run_md5(lock: str) -> str | None:
    """Return the md5 of run.json; None if `dvc repro` did not reach its end."""
    line = _RUN.search(lock)
    return line[1] if line is not None else None


@functools.lru_cache(maxsize=4)
def stages(lock: str) -> dict[str, Any]:
    """Return the stages of a dvc.lock, in the form that `ids.identity_in` takes.

    Raises UserError if it is damaged, or names an output that could lie outside the repository.
    """
    if lock == TOO_LARGE or len(lock) > LARGEST:
        raise UserError(f"{PATH} is damaged: it is larger than {LARGEST} bytes")
    content = yaml_file.read(lock, PATH)[0]
    try:
        stages: dict[str, Any] = content["stages"]
        for stage in stages.values():
            values = stage.get("params", {}).get(str(params_yaml.PATH), {})
            files.json_bytes(dict(values))
            if not all(isinstance(key, str) for key in values):
                raise TypeError
            for file in (*stage.get("deps", ()), *stage.get("outs", ())):
                if not isinstance(file["path"], str) or not isinstance(file.get("md5", ""), str):
                    raise TypeError
    except MALFORMED as error:
        raise UserError(f"{PATH} is damaged ({type(error).__name__})") from None
    if not {"train", "track"} <= set(stages):
        raise UserError(f"{PATH} is not of this pipeline: it has no train or no track")
    outs = [file for stage in stages.values() for file in stage.get("outs", ())]
    check_outs(((file["path"], file.get("md5")) for file in outs), str(PATH))
    return stages


def check_outs(outs: Iterable[tuple[Any, Any]], source: str) -> None:
    """Refuse outputs that could lie outside the repository, or whose md5 is not valid.

    outs: paths and md5s; source: what names them, for the message.
    """
    for path, md5 in outs:
        safe_path.check(path, source)
        if not safe_path.is_md5(md5):
            raise UserError(
                f"{source}: the md5 of {path} is not valid: {str(md5)[:80]!r}; must be 32"
                " hexadecimal digits"
            )


def is_inside(path: str) -> bool:
    """Return True if a path of a dvc.lock lies in the repository."""
    try:
        safe_path.check(path, str(PATH))
    except UserError:
        return False
    return True


def parameters(stages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of all stages, by their dotted keys."""
    values: dict[str, Any] = {}
    for stage in stages.values():
        values |= stage.get("params", {}).get(str(params_yaml.PATH), {})
    return values


def tables(stages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the md5 of each table that the stages trained and measured with, by path."""
    return {
        file["path"]: file.get("md5")
        for stage in stages.values()
        for file in stage.get("outs", ())
        if Path(file["path"]).parts[0] == files.TRAIN.parts[0]
    }


def changes_figures(key: str) -> bool:
    """Return True if the parameter `key` can change an answer of the model or its quality."""
    return key.partition(".")[0] not in ("export", "tracking")


def differs(lock: str, before: str) -> bool:
    """Return True if a parameter or a table has another value than in the dvc.lock before.

    What only one of them has is no difference: it came or went with the code. A parameter that
    changes no figure does not count: two runs would show the same numbers.
    """
    # Most commits of a long history change neither, and to parse a dvc.lock takes 10 ms.
    if _VALUES.findall(lock) == _VALUES.findall(before):
        return False
    try:
        pairs = [(read(stages(lock)), read(stages(before))) for read in (parameters, tables)]
    except UserError:  # the replay of the result says what is wrong
        return True
    return any(
        now[key] != then[key]
        for now, then in pairs
        for key in now.keys() & then.keys()
        if changes_figures(key)
    )

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
from pipeline.settings.declared import DVC_LOCK
from pipeline.settings.errors import UserError

LARGEST_LOCK_BYTES = 1_000_000
"""Limit for a dvc.lock; this pipeline's has 20,000 bytes."""
LOCK_TOO_LARGE = f"# larger than {LARGEST_LOCK_BYTES} bytes"
"""Text in place of a dvc.lock that is too large to be read."""
MALFORMED_ERRORS = (AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""Errors in reading a file that neither this pipeline nor DVC wrote, or that was changed later."""

_RUN_MD5 = re.compile(
    rf"- path: {re.escape(str(files.RUN))}\n +hash: md5\n +md5: ([0-9a-f]{{32}})\b"
)
_VALUE_LINES = re.compile(
    rf"^    (?:params:|- path: {re.escape(str(files.TRAIN.parent))}/.*)\n(?:      .*\n)*",
    re.MULTILINE,
)
"""Lines of a dvc.lock with parameters and tables."""


def recorded_md5(lock: str) -> str | None:
    """Return the md5 of run.json in a dvc.lock; None if `dvc repro` did not reach its end."""
    line = _RUN_MD5.search(lock)
    return line[1] if line is not None else None


@functools.lru_cache(maxsize=4)
def checked_stages(lock: str) -> dict[str, Any]:
    """Return the stages of a dvc.lock, in the form that `ids.identity_in` takes.

    Raises UserError if it is damaged, or names an output that could lie outside the repository.
    """
    if lock == LOCK_TOO_LARGE or len(lock) > LARGEST_LOCK_BYTES:
        raise UserError(f"{DVC_LOCK} is damaged: it is larger than {LARGEST_LOCK_BYTES} bytes")
    content = yaml_file.read(lock, DVC_LOCK)[0]
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
    except MALFORMED_ERRORS as error:
        raise UserError(f"{DVC_LOCK} is damaged ({type(error).__name__})") from None
    if not {"train", "track"} <= set(stages):
        raise UserError(f"{DVC_LOCK} is not of this pipeline: it has no train or no track")
    outs = [file for stage in stages.values() for file in stage.get("outs", ())]
    check_outs(((file["path"], file.get("md5")) for file in outs), str(DVC_LOCK))
    return stages


def check_outs(outs: Iterable[tuple[Any, Any]], source: str) -> None:
    """Refuse outputs that could lie outside the repository, or whose md5 is not valid.

    outs: paths and md5s; source: the file that names them, for the message.
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
        safe_path.check(path, str(DVC_LOCK))
    except UserError:
        return False
    return True


def parameters(stages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of all stages, by their dotted keys."""
    values: dict[str, Any] = {}
    for stage in stages.values():
        values |= stage.get("params", {}).get(str(params_yaml.PATH), {})
    return values


def table_md5s(stages: Mapping[str, Any]) -> dict[str, Any]:
    """Return the md5 of each table that the stages trained and measured with, by path."""
    return {
        file["path"]: file.get("md5")
        for stage in stages.values()
        for file in stage.get("outs", ())
        if Path(file["path"]).parts[0] == files.TRAIN.parts[0]
    }


def changes_figures(key: str) -> bool:
    """Return True if the parameter `key` can change an answer of the model or its quality."""
    return key.partition(".")[0] not in ("export", "report", "tracking")


def differs(lock: str, before: str) -> bool:
    """Return True if a parameter or a table has another value than in the dvc.lock before.

    A parameter or table that only one of them has is no difference: it came or went with the code.
    A parameter that changes no figure does not count: two runs would show the same numbers.
    """
    # Most commits of a long history change neither, and to parse a dvc.lock takes 10 ms.
    if _VALUE_LINES.findall(lock) == _VALUE_LINES.findall(before):
        return False
    try:
        pairs = [
            (read(checked_stages(lock)), read(checked_stages(before)))
            for read in (parameters, table_md5s)
        ]
    except UserError:  # the replay of the result says what is wrong
        return True
    return any(
        now[key] != then[key]
        for now, then in pairs
        for key in now.keys() & then.keys()
        if changes_figures(key)
    )

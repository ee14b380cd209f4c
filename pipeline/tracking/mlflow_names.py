"""Names that MLflow allows for parameters and metrics."""

import posixpath
import re
from collections.abc import Mapping

from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of
from pipeline.tracking import tags
from pipeline.tracking.complete_runs import outs_tag
from pipeline.tracking.result import Result

LONGEST_TAG_LETTERS = 8000
_NAME = re.compile(r"(?!/|\.\.|\.$)[\w.\-/ :]{1,250}")
"""Pattern of a parameter's or a metric's name; `_is_name` has one more rule."""


def of_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return metrics under names of letters, digits and the few signs that MLflow allows.

    A column may have any name; where two names become the same, one gets a number.
    """
    named: dict[str, float] = {}
    for name, value in metrics.items():
        plain = re.sub(r"[^\w.\- :]", "_", name)[:200]
        number = 2
        unique = plain
        while unique in named:
            unique, number = f"{plain} {number}", number + 1
        named[unique] = value
    return named


def check(result: Result) -> None:
    """Raise UserError if a store would refuse a part of `result` after the run was made."""
    names = [("parameter", name) for name in result.identity["params"]]
    names += [("metric", name) for name in of_metrics(result.metrics)]
    refused = [f"the {kind} {name[:80]!r}" for kind, name in names if not _is_name(name)]
    # The description has the names of the metrics unchanged, and no database takes a surrogate.
    refused += [f"the metric {name[:80]!r}" for name in result.metrics if _has_half(name)]
    if refused:
        raise UserError(f"MLflow takes no such name: {first_of(refused, 5)}")
    outs = result.identity["outs"]
    if len(outs_tag(outs)[tags.OUTS]) > LONGEST_TAG_LETTERS:
        raise UserError(
            f"it has {len(outs)} outputs, whose list is longer than the {LONGEST_TAG_LETTERS}"
            " letters that MLflow takes"
        )


def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and posixpath.normpath(name) == name


def _has_half(name: str) -> bool:
    """Return True if a name has half a character (a surrogate), which JSON can write."""
    return any("\ud800" <= letter <= "\udfff" for letter in name)

"""Two results of which the targets are fitted on other scales, such as price and log(price).

Their losses, and all figures of what was fitted, are in other units. In the targets' own units,
in which both answer, they can be compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report.target_words import FIGURES
from pipeline.settings.keys import target_settings
from pipeline.settings.keys.target_settings import OWN_UNIT
from pipeline.settings.messages import first_of

TARGETS = "data.targets"
PARTS = ("train", "test")
FITTED = ("train.", "test.", "cv.", "reference.", "penalty.", "interval.")
"""Beginnings of the names of figures on the fitted scale."""

Params = Mapping[str, Any]
Metrics = Mapping[str, float]


def is_common(first: Params, other: Params) -> bool:
    """Return True if both fit each target on the same scale. Parameters by their dotted names."""
    return _logs(first) == _logs(other)


def comparable(params: Params, metrics: Metrics) -> dict[str, float]:
    """Return the figures of a result that can be compared with those of another scale.

    metrics: by dotted names. The figures of a result without logarithms are in the own units.
    """
    own = {} if _logs(params) else {f"{part}.{OWN_UNIT}{name}": f"{part}.{name}"
                                    for part in PARTS for name in FIGURES}  # fmt: skip
    kept = {
        name: value
        for name, value in metrics.items()
        if not name.startswith(FITTED) or f".{OWN_UNIT}" in name
    }
    return kept | {name: metrics[old] for name, old in own.items() if old in metrics}


def notes(first: Params, other: Params, in_folds: bool) -> Iterator[str]:
    """Yield a sentence on the units of the figures, where they are not those of all others.

    in_folds: True if the errors in the folds are compared, too.
    """
    if not is_common(first, other):
        fitted = [first_of(_fitted(params), 5) for params in (first, other)]
        yield (
            f"A is fitted to {fitted[0]}, B to {fitted[1]}: the figures above are in the targets'"
            " own units, and those of the fitted scale, the folds' among them, are left out."
        )
    elif in_folds and (logs := sorted(_logs(first))):
        shown = first_of([f"log({name})" for name in logs], 5)
        yield f"Errors in the folds are of {shown}; those on held-out rows are in the own unit."


def _logs(params: Params) -> frozenset[str]:
    return target_settings.logs(params.get(TARGETS))


def _fitted(params: Params) -> Sequence[str]:
    logs = _logs(params)
    names = target_settings.names(params.get(TARGETS))
    return [f"log({name})" if name in logs else name for name in names]

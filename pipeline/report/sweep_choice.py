"""The configuration of a sweep that a person takes, written into params.yaml."""

from collections.abc import Sequence

from pipeline.learning.outcomes import Outcome, best_first
from pipeline.profiling.yaml_text import replaced
from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.settings.yaml_values import flow

BEST = "best"


def chosen(outcomes: Sequence[Outcome], metric: str, choice: str) -> Outcome:
    """Return the best configuration, or the one with the number `choice`.

    Raises UserError if there is none.
    """
    ranked = best_first(outcomes, metric)
    if choice == BEST:
        if not ranked:
            raise UserError(f"--apply: found best, but no configuration has {metric}")
        return ranked[0]
    by_number = {f"{each.number}": each for each in outcomes}
    if choice not in by_number:
        raise UserError(
            f"--apply: found {choice}; must be {BEST} or a number from 1 to {len(outcomes)}, of the"
            " column `number` in the report"
        )
    return by_number[choice]


def applied(document: str, outcome: Outcome) -> str:
    """Return the text of params.yaml with a configuration's values; the rest, comments too, stays.

    Raises UserError if the result is no valid job.
    """
    for key, value in outcome.settings.items():
        document = replaced(document, tuple(key.split(".")), flow(value))
    params.parse(document)
    return document

"""Limits of a model: what it must not be used for. The card and the report have the same ones."""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.plan import Plan
from pipeline.columns.term import FunctionTerm
from pipeline.report.facts import Facts


class Refused(NamedTuple):
    """Raw columns by what is refused in them."""

    gaps: tuple[str, ...]
    """A missing value."""
    levels: tuple[str, ...]
    """A level that no training row has."""
    dates: tuple[DateColumn, ...]
    """A date whose month or weekday no training row has."""

    logs: tuple[str, ...] = ()
    """A value that is not above 0, because a term has no logarithm of it."""
    roots: tuple[str, ...] = ()
    """A value below 0, because a term has no square root of it."""

    def __bool__(self) -> bool:
        """Return True if anything is refused."""
        return any(self[:])


def refused(plan: Plan) -> Refused:
    """Return what the model does not answer; nothing if it takes a matrix."""
    if plan.is_matrix:
        return Refused((), (), ())
    columns = plan.columns
    return Refused(
        tuple(column.name for column in columns if not column.takes_gaps),
        tuple(
            column.name
            for column in columns
            if isinstance(column, CategoryColumn) and column.unseen == "refuse"
        ),
        tuple(column for column in columns if isinstance(column, DateColumn) and column.levels),
        _functions(plan, "log"),
        tuple(name for name in _functions(plan, "sqrt") if name not in _functions(plan, "log")),
    )


def _functions(plan: Plan, kind: str) -> tuple[str, ...]:
    """Return the features of which a term has the logarithm or the square root."""
    terms = (term for term in plan.terms if isinstance(term, FunctionTerm))
    return tuple(dict.fromkeys(term.of.name for term in terms if term.kind == kind))


def keys(facts: Facts) -> Iterator[str]:
    """Yield what limits this model, by the keys of the sentences in the card and in the report."""
    yield "extrapolation"
    yield "order"
    if refused(facts.plan):
        yield "refused"
    if facts.dtype == "float32":
        yield "float32"
    if any(output.meaning == "low" for output in facts.contract.outputs):
        yield "interval"
    if facts.condition_is_high:
        yield "condition"
    yield "unlike"

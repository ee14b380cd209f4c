"""Terms of a line in groups: what each encoded column stands for, levels beside their reference."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.columns.term import AnyTerm, ProductTerm, SplineTerm

Kind = Literal[
    "number", "gap", "level", "part", "part_level", "term", "slope", "both_levels", "knot"
]
"""A number; whether a number was missing; a level of a category; a part of a date that is a number;
one of its months or weekdays. Of data.terms: a number made of others; a number in the rows of one
level; whether a row has two levels; the place of a spline at a knot."""


class Term(NamedTuple):
    """What an encoded column stands for, or a reference level, which has no column."""

    column: str
    """The raw column."""
    kind: Kind
    encoded: str | None
    """Name of the encoded column; None for a reference level."""
    level: str = ""
    """The level; of a date the number of the month or weekday."""
    part: str = ""
    """The part of a date."""
    reference: str = ""
    """The reference level, or the first knot."""
    number: str = ""
    """Of a slope, the encoded number that has it."""


def groups(plan: Plan) -> Iterator[Sequence[Term]]:
    """Yield the terms that belong together, in the order of the columns, then those of data.terms.

    A reference comes before its levels.
    """
    in_model = {None, *plan.encoded_names}
    for column in plan.columns:
        for group in _of_column(column):
            kept = [term for term in group if term.encoded in in_model]
            # A reference alone: of a category of one level, or of levels that terms alone have.
            if len(kept) == len(group) or any(term.encoded for term in kept):
                yield kept
    yield from (_of_term(term, plan) for term in plan.terms)


def _of_term(term: AnyTerm, plan: Plan) -> Sequence[Term]:
    """Return the numbers of a term of data.terms; a spline's beside its first knot."""
    if not isinstance(term, SplineTerm):
        kind, number = _kind(term, plan)
        return [Term(name, kind, name, number=number) for name in term.names]
    zero, *knots = (f"{knot:.4g}" for knot in term.knots)
    named = zip(knots, term.names, strict=True)
    return [
        Term(term.of.name, "knot", None, zero, reference=zero),
        *(Term(term.of.name, "knot", name, knot, reference=zero) for knot, name in named),
    ]


def _kind(term: AnyTerm, plan: Plan) -> tuple[Kind, str]:
    """Return the kind of a term that is no spline, and of a slope the number that has it."""
    if not isinstance(term, ProductTerm):
        return "term", ""
    numbers = [each.name for each in term.operands if not each.has_levels(plan.column(each.column))]
    if not numbers:
        return "both_levels", ""
    is_slope = len(numbers) == 1 and numbers[0] in plan.encoded_names
    return ("slope", numbers[0]) if is_slope else ("term", "")


def _of_column(column: AnyColumn) -> Iterator[Sequence[Term]]:
    name = column.name
    if isinstance(column, CategoryColumn):
        levels = zip(column.encoded_levels, column.encoded_names, strict=True)
        reference = column.reference
        yield [
            Term(name, "level", None, reference, reference=reference),
            *(Term(name, "level", each, level, reference=reference) for level, each in levels),
        ]
    elif isinstance(column, DateColumn):
        yield from _of_date(column)
    else:
        first, *missing = column.encoded_names
        yield [Term(name, "number", first), *(Term(name, "gap", each) for each in missing)]


def _of_date(column: DateColumn) -> Iterator[Sequence[Term]]:
    named = [*zip(column.numbers(), column.encoded_names, strict=True)]
    for part in column.parts:
        of_part = [(level, each) for (other, level), each in named if other == part]
        if part not in column.levels:
            yield [Term(column.name, "part", each, part=part) for _, each in of_part]
            continue
        zero = str(column.references[part])
        yield [
            Term(column.name, "part_level", None, zero, part, zero),
            *(
                Term(column.name, "part_level", each, str(level), part, zero)
                for level, each in of_part
            ),
        ]

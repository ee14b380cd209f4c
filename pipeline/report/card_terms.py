"""The model card's table of the terms: what they are made of, and how they are read."""

from collections import Counter
from collections.abc import Iterator

from pipeline.columns.date import DateColumn
from pipeline.columns.plan import Plan
from pipeline.columns.term import AnyTerm, FunctionTerm, PowerTerm, ProductTerm
from pipeline.report import markdown


def table(plan: Plan) -> Iterator[str]:
    """Return the lines of the table; nothing without terms."""
    if not plan.terms:
        return
    yield from markdown.table(
        ("term", "numbers", "what it is"),
        ((markdown.text(term.name), str(len(term.names)), _what(term)) for term in plan.terms),
    )
    if plan.only_in_terms:
        names = ", ".join(map(markdown.text, plan.only_in_terms))
        yield ""
        yield f"In terms alone, without a number of its own: {names}."
    yield ""


def explained(plan: Plan) -> Iterator[str]:
    """Return how the coefficients of terms are read: a sentence for each kind that is there."""
    kinds = {term.kind for term in plan.terms}
    if any(_has_levels(plan, term) for term in plan.terms):
        yield (
            "A term such as `number:column[level]` is the number in the rows of that level, else 0:"
            " its value is how far the slope there lies from the slope of the number itself, or is"
            " the slope, if the number has none of its own."
        )
    if "spline" in kinds:
        yield (
            "Of a spline, the value of a term is how far its curve at a knot lies from the curve at"
            " the first knot, all else the same; the knots are in the table of the terms."
        )


def alone(plan: Plan) -> frozenset[str]:
    """Return the names of the numbers that can change while all others stay.

    That of a column with a term changes with the term, and so do the parts of a date.
    """
    used = Counter(each.column for term in plan.terms for each in {*term.operands})
    names = [
        name
        for column in plan.columns
        if not used[column.name] and not (isinstance(column, DateColumn) and len(column.parts) > 1)
        for name in plan.names_in_model(column)
    ]
    for term in plan.terms:
        if isinstance(term, FunctionTerm | PowerTerm):
            column = plan.column(term.of.column)
            if used[column.name] == 1 and not plan.names_in_model(column):
                names += term.names
    return frozenset(names)


def _has_levels(plan: Plan, term: AnyTerm) -> bool:
    """Return True for a product of a number and levels."""
    of_levels = [each.has_levels(plan.column(each.column)) for each in term.operands]
    return isinstance(term, ProductTerm) and any(of_levels) and not all(of_levels)


def _what(term: AnyTerm) -> str:
    names = [markdown.text(each.name) for each in term.operands]
    if isinstance(term, FunctionTerm):
        return ("natural logarithm of " if term.kind == "log" else "square root of ") + names[0]
    if isinstance(term, PowerTerm):
        return f"{names[0]} to the power of {term.exponent}"
    if isinstance(term, ProductTerm):
        return f"{names[0]} times {names[1]}"
    knots = ", ".join(f"{knot:.6g}" for knot in term.knots)
    return f"natural cubic spline of {names[0]}, straight outside of its knots: {knots}"

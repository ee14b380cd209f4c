"""Effects of the terms of a line, in groups: the levels of a column stand beside its reference."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.plan import Plan
from pipeline.columns.term import AnyTerm, SplineTerm
from pipeline.pictures.lettering import short, width

WIDEST_LABEL, WIDEST_LEVEL = 190.0, 95.0
"""Points that a label has room for, and a level in it."""


class Effect(NamedTuple):
    """A line of the plot: the effect of a change in one term, or the zero of a reference level."""

    label: str
    term: int | None
    """Index of the term; None for a reference level, whose effect is 0."""
    change: float
    """One standard deviation of a number; 1 for a level, which the row has instead of the
    reference, and for a knot of a spline, where the curve is compared with that at its first knot.
    """


Group = Sequence[Effect]


def groups(plan: Plan, deviations: NDArray[np.float64]) -> list[Group]:
    """Return the effects in the order of the terms; a reference comes before its levels.

    deviations: standard deviation of each term in the training rows, [encoded names].
    """
    result: list[Group] = []
    terms = iter(range(len(deviations)))
    for column in plan.columns:
        if column.encoded_names and not plan.places_in_model(column):
            continue
        if isinstance(column, CategoryColumn):
            names = [_label(column.name, level) for level in column.encoded_levels]
            zero = _label(column.name, column.reference)
            result.append(_levels(zero, [*zip(names, terms, strict=False)]))
        elif isinstance(column, DateColumn):
            for part in column.parts:
                if f"{column.name}[{part}]" in plan.only_in_terms:
                    continue
                if part not in column.levels:
                    term = next(terms)
                    name = _label(column.name, part)
                    result.append([Effect(name, term, float(deviations[term]))])
                    continue
                zero = _label(column.name, f"{part} {column.references[part]}")
                names = [
                    _label(column.name, f"{part} {level}")
                    for level in column.levels[part]
                    if level != column.references[part]
                ]
                result.append(_levels(zero, [*zip(names, terms, strict=False)]))
        else:
            group = []
            if column.name not in plan.only_in_terms:
                term = next(terms)
                group = [Effect(short(column.name, WIDEST_LABEL), term, float(deviations[term]))]
            if column.indicator:
                group.append(Effect(_label(column.name, "missing"), next(terms), 1.0))
            result.append(group)
    result += (_of_term(plan, each, terms, deviations) for each in plan.terms)
    return result


def _of_term(
    plan: Plan, of: AnyTerm, terms: Iterator[int], deviations: NDArray[np.float64]
) -> Group:
    """Return the effects of a term of data.terms. terms: the indices that follow."""
    numbered = [*zip(of.names, terms, strict=False)]
    if isinstance(of, SplineTerm):
        zero, *knots = (_label(of.of.name, f"{knot:.4g}") for knot in of.knots)
        return _levels(zero, [*zip(knots, (term for _, term in numbered), strict=True)])
    is_flag = plan.is_of_levels(of)
    return [
        Effect(short(name, WIDEST_LABEL), term, 1.0 if is_flag else float(deviations[term]))
        for name, term in numbered
    ]


def largest(all_groups: Sequence[Group], sizes: NDArray[np.float64], most: int) -> list[Group]:
    """Return the groups with their largest effects: at most `most` lines, references included.

    sizes: of the effect of each term, [terms].
    """
    group_of = {
        effect.term: index
        for index, group in enumerate(all_groups)
        for effect in group
        if effect.term is not None
    }
    kept: set[int | None] = set()
    opened: set[int] = set()
    lines = 0
    for term in np.argsort(-sizes, kind="stable").tolist():
        index = group_of[term]
        has_reference = any(effect.term is None for effect in all_groups[index])
        cost = 1 + (has_reference and index not in opened)
        if lines + cost > most:
            break
        lines += cost
        kept.add(term)
        opened.add(index)
    return [
        [effect for effect in group if effect.term is None or effect.term in kept]
        for index, group in enumerate(all_groups)
        if index in opened
    ]


def _levels(zero: str, named: Sequence[tuple[str, int]]) -> Group:
    reference = Effect(f"{zero} (reference)", None, 1.0)
    return [reference, *(Effect(name, term, 1.0) for name, term in named)]


def _label(column: str, level: str) -> str:
    """Return "heating: gas", cut to the width that a label has room for."""
    level = f": {short(level, WIDEST_LEVEL)}"
    return short(column, WIDEST_LABEL - width(level)) + level

"""What is learnt of the terms from the training rows, and the refusal of what has no value."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise

from pipeline.columns.column import LearntColumn
from pipeline.columns.date import SECONDS_PER_DAY, DateColumn, DateStatistics
from pipeline.columns.median import Search, quantiles
from pipeline.columns.number import NumberStatistics
from pipeline.columns.operands import Operand
from pipeline.columns.statistics import CountColumn, Measured, Statistics
from pipeline.columns.term import AnyTerm, FunctionTerm, PowerTerm, ProductTerm, SplineTerm
from pipeline.settings import term_settings
from pipeline.settings.errors import UserError
from pipeline.settings.keys import term_text
from pipeline.settings.keys.column_settings import ColumnSettings
from pipeline.settings.keys.term_text import Term
from pipeline.settings.messages import mistakes
from pipeline.settings.params import Data

MOST_SHOWN = 20


@dataclass(frozen=True)
class DeclaredTerms:
    """The terms of data.terms, read with the names of the features.

    only_in_terms: the features, and parts of dates, whose own numbers the model does not get.
    summed: the columns of numbers among them, whose means no sum of the model's numbers tells.
    """

    terms: tuple[Term, ...] = ()
    only_in_terms: tuple[str, ...] = ()
    summed: frozenset[str] = frozenset()


NO_TERMS = DeclaredTerms()


def declared(data: Data, columns: Mapping[str, ColumnSettings]) -> DeclaredTerms:
    """Return the terms of a job. columns: all features, which `features: []` leaves to the table.

    Raises UserError with each text that is no term of these columns.
    """
    terms, wrong = term_settings.read(data.terms, columns, data.targets)
    if wrong:
        lines = [
            f"data.terms[{place}]: {term_settings.told(data.terms[place], text)}"
            for place, text in wrong
        ]
        raise UserError(mistakes(lines, "data.terms", MOST_SHOWN))
    only_in_terms = term_settings.only_in_terms(terms, columns)
    summed = frozenset(name for name in only_in_terms if name in columns)
    numbers = frozenset(name for name in summed if columns[name].plain()["kind"] == "number")
    return DeclaredTerms(tuple(terms), only_in_terms, numbers)


def learnt(
    declared: DeclaredTerms,
    columns: Sequence[LearntColumn],
    train: Statistics,
    test: Statistics,
    count: CountColumn,
) -> tuple[AnyTerm, ...]:
    """Return the terms, learnt from the training rows. count: see Learnable.

    Raises UserError with each term that has no value in a row, or of which nothing can be learnt.
    """
    known = {column.name: column for column in columns}
    terms: list[AnyTerm] = []
    wrong: list[str] = []
    # A spline stands in the place of its number, which is one of its curves.
    splines = {term.of[0].name for term in declared.terms if term.kind == "spline"}
    absent = {*declared.only_in_terms} - splines
    for term in declared.terms:
        problems = [
            problem
            for side, of_rows in (("training", train), ("test", test))
            for problem in _without_value(term, known, of_rows, side)
        ]
        if not problems and term.kind != "without":
            try:
                terms.append(_learnt(term, known, absent, count))
                absent -= _said_by(terms[-1])
            except ValueError as error:
                problems = [str(error)]
        wrong += [f"data.terms: {term.name}: {problem}" for problem in problems]
    if wrong:
        raise UserError(mistakes(wrong, "data.terms", MOST_SHOWN))
    return tuple(terms)


def _learnt(
    term: Term,
    columns: Mapping[str, LearntColumn],
    absent: Collection[str],
    count: CountColumn,
) -> AnyTerm:
    """Learn one term. Raises ValueError with the reason if nothing can be learnt of it."""
    first = _operand(term.of[0])
    if term.kind == "log" or term.kind == "sqrt":
        return FunctionTerm(name=term.name, names=(term.name,), kind=term.kind, of=first)
    if term.kind == "power":
        assert term.number is not None
        return PowerTerm(
            name=term.name, names=(term.name,), kind="power", of=first, exponent=term.number
        )
    if term.kind == "spline":
        knots = _knots(term, columns[first.column], count)
        names = tuple(f"{term.name}[{number}]" for number in range(1, len(knots)))
        return SplineTerm(name=term.name, names=names, kind="spline", of=first, knots=knots)
    return _product(term, columns, absent)


def _operand(operand: term_text.Operand, with_reference: bool = False) -> Operand:
    return Operand(column=operand.column, part=operand.part, with_reference=with_reference)


def _product(
    term: Term, columns: Mapping[str, LearntColumn], absent: Collection[str]
) -> ProductTerm:
    """Return a product whose numbers, with those of the model, say all that the two features do.

    As in formulas of R and of patsy: if a feature is in no term of its own, each level of the other
    one has a number, the reference level too.
    """
    left, right = term.of
    operands = (
        _operand(left, left.has_levels and right.name in absent),
        _operand(right, right.has_levels and left.name in absent),
    )
    levels = [each.levels(columns[each.column]) for each in operands]
    names = [f"{a}:{b}" for a in levels[0] for b in levels[1]]
    left_out = None
    if all(each.with_reference for each in operands):
        # The intercept says it.
        references = [[*each.values()].index(None) for each in levels]
        left_out = references[0] * len(levels[1]) + references[1]
        del names[left_out]
    if not names:
        raise ValueError(
            "a category with one level alone in the training rows has nothing to multiply; leave"
            " the term out"
        )
    return ProductTerm(
        name=term.name, names=tuple(names), kind="product", of=operands, left_out=left_out
    )


def _said_by(term: AnyTerm) -> set[str]:
    """Return the features of which a product has a number for each level of the other feature.

    Together these say what the feature itself says, which a later product need not say again.
    """
    left, right = term.of if isinstance(term, ProductTerm) else (None, None)
    pairs = [(left, right), (right, left)]
    return {one.name for one, other in pairs if one and other and other.with_reference}


def _knots(term: Term, column: LearntColumn, count: CountColumn) -> tuple[float, ...]:
    """Return the smallest and the largest value, and quantiles between them that are evenly spaced.

    Raises ValueError if two of them are equal.
    """
    columns = term.number or 0
    unit = column.unit if isinstance(column, DateColumn) else "days"
    measured = Measured(column.name, term.of[0].part, unit)
    known = int(count(measured, Search()).sum())  # of frequencies the rows that they stand for

    def knots(number: int) -> list[float]:
        shares = [Fraction(place, number) for place in range(number + 1)]
        return quantiles(known, shares, partial(count, measured))

    found = knots(columns)
    if all(a < b for a, b in pairwise(found)):
        return tuple(found)
    possible = _most(knots, columns)
    shown = ", ".join(f"{knot:.6g}" for knot in found)
    cure = (
        f"at most spline({term.of[0].name}, {possible}) is possible"
        if possible
        else f"write a power, or take {column.name} as a category"
    )
    raise ValueError(
        f"its {columns + 1} knots are quantiles of the training rows, and some of them are equal"
        f" ({shown}), because many rows have the same value; {cure}"
    )


def _most(knots: Callable[[int], list[float]], columns: int) -> int | None:
    """Return the largest number of columns whose knots are different; None if there is none."""
    for number in range(columns - 1, term_settings.LEAST_COLUMNS - 1, -1):
        if all(a < b for a, b in pairwise(knots(number))):
            return number
    return None


def _without_value(
    term: Term, columns: Mapping[str, LearntColumn], of_rows: Statistics, side: str
) -> Iterator[str]:
    """Yield a message if a logarithm or a root has no value in some rows, as their range shows.

    The rows of files were checked while they were read, with their places; not those that are made.
    """
    if term.kind not in ("log", "sqrt") or not of_rows.rows:
        return
    operand = term.of[0]
    statistics, column = of_rows.columns[operand.column], columns[operand.column]
    smallest: float | None = None
    if isinstance(statistics, NumberStatistics) and statistics.known:
        smallest = statistics.smallest
    elif isinstance(statistics, DateStatistics) and operand.part == "days":
        smallest = statistics.smallest
        if smallest is not None and isinstance(column, DateColumn) and column.unit == "seconds":
            smallest //= SECONDS_PER_DAY
    if smallest is None or smallest > 0 or (term.kind == "sqrt" and smallest == 0):
        return
    noun = "logarithm" if term.kind == "log" else "square root"
    yield f"found {smallest:g} in a {side} row, which has no {noun}; leave the term out"

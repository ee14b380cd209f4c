"""The terms of data.terms: further numbers made from the features, written as in a formula of R.

`log(income)`, `sqrt(area)`, `age^2`, `age:smoker`, `spline(hour, 5)`, and `-income`, which takes
the number of a feature itself out: the model then has it in other terms alone.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from pipeline.settings.keys.column_settings import ColumnSettings, DateSettings, NumberSettings
from pipeline.settings.keys.term_text import FUNCTION, Operand, Term, operand, readings
from pipeline.settings.messages import show

LEAST_POWER, MOST_POWER = 2, 10
LEAST_COLUMNS, MOST_COLUMNS = 2, 30
"""Columns of a spline."""
FORMS = "log(a), sqrt(a), a^2, a:b, spline(a, 5) or -a, where a and b are features"
_OTHER_NAMES = {
    **dict.fromkeys(("ln", "log2", "log10", "log1p", "np.log"), "log(a), the natural logarithm"),
    **dict.fromkeys(("poly", "I", "pow", "square"), "a^2"),
    **dict.fromkeys(("bs", "cr", "cc", "ns", "s", "rcs"), "spline(a, 5)"),
    **dict.fromkeys(("C", "factor"), "a:b, where a or b is a category in data.features"),
}


class TermError(Exception):
    """A text that is no term of these columns; the message follows the text."""


def read(
    texts: Sequence[str], columns: Mapping[str, ColumnSettings], targets: Sequence[str]
) -> tuple[list[Term], list[tuple[int, str]]]:
    """Return the terms, and the mistakes: the place of a text, and the end of the message.

    columns: all features.
    """
    terms: list[Term] = []
    mistakes: list[tuple[int, str]] = []
    places: dict[object, int] = {}
    for place, text in enumerate(texts):
        try:
            if text.strip() in targets:
                raise TermError("is a target, and no term; leave it out here")
            if text.strip() in columns:
                raise TermError(
                    "is a column of the table, and no term; a feature is in the model as it is:"
                    " leave it out here"
                )
            term = parsed(text, columns, targets)
            if term.name in {*columns, *targets}:
                raise TermError("has the name of a column of the table; rename the column")
            _check_fills(term, columns)
            if term.identity in places:
                raise TermError(
                    f"is the same as {show(texts[places[term.identity]])}; write it once"
                )
            places[term.identity] = place
            terms.append(term)
        except TermError as error:
            mistakes.append((place, str(error)))
    if not mistakes:
        mistakes += [*_unused(terms), *_second_splines(terms)]
    return terms, mistakes


def told(term: str, mistake: str) -> str:
    """Return the end of the message on a text of data.terms."""
    return f"found {show(term)}: it {mistake}"


def _unused(terms: Sequence[Term]) -> Iterator[tuple[int, str]]:
    """Yield each term such as -age whose feature no other term has."""
    used = {operand for term in terms if term.kind != "without" for operand in term.of}
    columns = {operand.column for operand in used}
    for place, term in enumerate(terms):
        of = term.of[0]
        is_used = of in used if of.part else of.column in columns
        if term.kind == "without" and not is_used:
            yield (
                place,
                f"takes out {of.name}, which is in no other term; leave it out of"
                f" {'the parts of ' + of.column if of.part else 'data.features'} instead",
            )


def _second_splines(terms: Sequence[Term]) -> Iterator[tuple[int, str]]:
    """Yield each spline of a number that an earlier term has a spline of."""
    seen: set[Operand] = set()
    for place, term in enumerate(terms):
        if term.kind == "spline" and term.of[0] in seen:
            yield place, f"is a second spline of {term.of[0].name}; write one, with more columns"
        seen |= {term.of[0]} if term.kind == "spline" else set()


def parsed(text: str, columns: Mapping[str, ColumnSettings], targets: Sequence[str]) -> Term:
    """Return the term that a text means, spelt with the names of these columns.

    targets: for messages. Raises TermError. A name may hold any character: a text is read in the
    one way in which all its names are names of columns.
    """
    found: dict[object, Term] = {}
    for term in readings(text, columns):
        found.setdefault(term.identity, term)
    if len(found) > 1:
        ways = " or ".join(
            f"{term.kind} of {' and '.join(each.name for each in term.of)}"
            for term in found.values()
        )
        raise TermError(f"can be read in two ways, as {ways}; rename a column")
    if not found:
        raise TermError(_reason(text, columns, targets))
    (term,) = found.values()
    _check(term)
    return term


def _check(term: Term) -> None:
    """Raise TermError for a term of the right form whose features or number cannot be used."""
    first, number = term.of[0], term.number
    if term.kind not in ("product", "without") and first.has_levels:
        raise TermError(
            f"needs a number, but {first.name} has levels; a number has another slope for each of"
            f" them in number:{first.name}"
        )
    if term.kind == "log" and first.part == "hour":
        raise TermError("has no value at midnight, hour 0; write spline(…, 5) or a power")
    if term.kind == "power" and (number is None or not LEAST_POWER <= number <= MOST_POWER):
        raise TermError(f"must have a power from {LEAST_POWER} to {MOST_POWER}")
    if term.kind == "spline" and (number is None or not LEAST_COLUMNS <= number <= MOST_COLUMNS):
        raise TermError(
            f"must have the number of its columns after the comma, from {LEAST_COLUMNS} to"
            f" {MOST_COLUMNS}, such as spline({first.name}, 5)"
        )
    if term.kind == "product" and first == term.of[1]:
        if first.has_levels:
            raise TermError("is a product of the levels of one column, which are those levels")
        raise TermError(f"is a power; write {first.name}^2")


def _check_fills(term: Term, columns: Mapping[str, ColumnSettings]) -> None:
    """Raise TermError for a logarithm or a root of the number that takes the place of gaps."""
    settings = columns.get(term.of[0].column)
    if not isinstance(settings, NumberSettings) or not isinstance(settings.missing, float):
        return
    fill = settings.missing
    if (term.kind == "log" and fill <= 0) or (term.kind == "sqrt" and fill < 0):
        raise TermError(
            f"has no value at {fill:g}, which takes the place of gaps (missing: {fill:g});"
            " choose a number above 0, or mean"
        )


def _reason(text: str, columns: Mapping[str, ColumnSettings], targets: Sequence[str]) -> str:
    """Return why a text is no term."""
    stripped = text.strip()
    function = FUNCTION.fullmatch(text)
    if "**" in stripped:
        return f"must be written with ^ for a power: {stripped.replace('**', '^')}"
    if function and function[1] in ("log", "sqrt", "spline"):
        inner = function[2]
        if function[1] == "spline":
            if "," not in inner:
                return f"must have the number of its columns, such as spline({inner.strip()}, 5)"
            inner = inner.rpartition(",")[0]
        return _unknown([inner], columns, targets)
    if ":" in stripped:
        # The division that leaves the fewest names unknown.
        divisions = [
            [stripped[: match.start()], stripped[match.end() :]]
            for match in re.finditer(":", stripped)
        ]
        names = min(
            divisions, key=lambda names: sum(operand(name, columns) is None for name in names)
        )
        return _unknown(names, columns, targets)
    if function and function[1] in _OTHER_NAMES:
        return f"has no known function {function[1]}; write {_OTHER_NAMES[function[1]]}"
    if re.fullmatch(r".*\^\s*[+-]?[\d.]+\s*", stripped, re.DOTALL):
        name, _, power = stripped.rpartition("^")
        if re.fullmatch(r"\s*[+-]?\d+\s*", power):
            return _unknown([name], columns, targets)
        return f"must have an integer for a power, from {LEAST_POWER} to {MOST_POWER}"
    if stripped.startswith("-"):
        return _unknown([stripped[1:]], columns, targets)
    if function:
        near = difflib.get_close_matches(function[1], ("log", "sqrt", "spline"), 1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"has no known function {function[1]}; {hint}must be {FORMS}"
    if signs := _between_features(stripped, columns):
        left, sign, right = signs
        if sign == "*":
            return f"must be written with : for a product: {left}:{right}"
        if sign == "/":
            return (
                f"is a quotient, which no term is; put a column of {left} divided by {right} into"
                " the table"
            )
        return (
            f"is a sum, which no term is; {left} and {right} have a coefficient each, as features"
        )
    return f"must be {FORMS}"


def _between_features(
    text: str, columns: Mapping[str, ColumnSettings]
) -> tuple[str, str, str] | None:
    """Return two features, and the sign of arithmetic between them; None of another text."""
    for match in re.finditer(r"[*/+-]", text):
        left, right = text[: match.start()].strip(), text[match.end() :].strip()
        if operand(left, columns) and operand(right, columns):
            return left, match[0], right
    return None


def _unknown(
    names: Sequence[str], columns: Mapping[str, ColumnSettings], targets: Sequence[str]
) -> str:
    """Return why some of the names in a term are no features."""
    reasons = []
    for name in (each.strip() for each in names):
        if operand(name, columns) is not None:
            continue
        settings = columns.get(name)
        column = name.removesuffix("]").rpartition("[")[0]
        if isinstance(settings, DateSettings):
            parts = " or ".join(f"{name}[{part}]" for part in settings.parts)
            reasons.append(f"needs a part of the date {name}: {parts}")
        elif isinstance(of_date := columns.get(column), DateSettings) and name.endswith("]"):
            reasons.append(
                f"needs a part that {column} has in data.features ({', '.join(of_date.parts)});"
                f" add it to its parts"
            )
        elif name in targets:
            reasons.append(
                f"has {show(name)}, which is a target; a term is made of features, and the"
                f" logarithm of a target is written {{{name}: log}} in data.targets"
            )
        elif next(readings(name, columns), None) or FUNCTION.fullmatch(name):
            reasons.append(
                f"has the term {name} inside a term; terms are made of columns alone: put a column"
                " of these values into the table"
            )
        else:
            near = difflib.get_close_matches(name, _names(columns), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            reasons.append(f"has {show(name)}, which is no feature{hint}")
    return ", and ".join(reasons)


def _names(columns: Mapping[str, ColumnSettings]) -> list[str]:
    """Return the names that a term may have: of columns, and of the parts of dates."""
    names = []
    for name, settings in columns.items():
        if isinstance(settings, DateSettings):
            names += [f"{name}[{part}]" for part in settings.parts]
        else:
            names.append(name)
    return names


def only_in_terms(terms: Sequence[Term], columns: Mapping[str, ColumnSettings]) -> tuple[str, ...]:
    """Return the features, and the parts of dates, whose own numbers the model does not get.

    Those taken out by a term such as -income, and those of a spline: a straight line is one of its
    curves, so that the number itself would be there twice. columns: all features.
    """
    names: dict[str, None] = {}
    for term in terms:
        of = term.of[0]
        settings = columns[of.column]
        if term.kind == "without" and isinstance(settings, DateSettings) and of.part is None:
            names |= dict.fromkeys(f"{of.column}[{part}]" for part in settings.parts)
        elif term.kind in ("without", "spline"):
            names[of.name] = None
    return tuple(names)

"""The lines of the report's table of effects: what each term stands for, its effect and a bar."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from pipeline.report import line_terms, markup, target_words
from pipeline.report.facts import Facts, Row
from pipeline.report.line_terms import Term
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, cell, number
from pipeline.settings.keys.sections import Language

MOST_LINES_SHOWN = 40
"""Lines of the table for each target, references included."""

SENTENCES: Sentences = {
    "en": {
        "deviation": "up by {size}, one standard deviation",
        "level": "instead of {reference}",
        "reference": "the reference",
        "present": "if it is missing",
        "range": "{low} to {high}",
        "term": "up by {size}, one standard deviation of the term",
        "slope": "for {size} more of {number}, one standard deviation, in the rows of this level:"
        " added to its effect elsewhere",
        "both_levels": "in the rows of both levels, added to the effects of each",
        "knot": "the curve here, beside that at {reference}",
        "bar": "effect with its interval",
        "named": "{column}: {what}",
        "days": "days",
        "year": "year",
        "hour": "hour",
        "month_level": "month {level}",
        "weekday_level": "weekday {level}",
    },
    "zh": {
        "deviation": "增加 {size}（一个标准差）",
        "level": "取代 {reference}",
        "reference": "参照水平",
        "present": "该值缺失时",
        "range": "{low} 至 {high}",
        "term": "该项增加 {size}（一个标准差）",
        "slope": "在该水平的行中，{number} 增加 {size}（一个标准差）时，另加于其在别处的影响",
        "both_levels": "同时具有两个水平的行，另加于各自的影响",
        "knot": "曲线在此处与在 {reference} 处之差",
        "bar": "影响及其区间",
        "named": "{column}：{what}",
        "days": "天数",
        "year": "年",
        "hour": "小时",
        "month_level": "{level} 月",
        "weekday_level": "每周第 {level} 天",
    },
}


@dataclass(frozen=True)
class Line:
    """A line of the table: a term with its figures, or a reference level.

    row: of coefficients.csv; None for a reference. change: what the term changes by, one standard
    deviation of a number; 1 for a level: the row has it instead of the reference.
    is_log: True if the logarithm of the target is fitted: effects are in per cent then.
    """

    term: Term
    row: Row | None
    change: float
    is_log: bool = False

    def effect(self, key: str) -> float | None:
        """Return a figure of the term times its change: `value`, `ci_low` or `ci_high`."""
        if self.row is None:
            return 0.0
        figure = self.row[key]
        if not figure:
            return None
        effect = float(figure) * self.change
        return target_words.percent(effect) if self.is_log else effect

    def of_one(self) -> str:
        """Return the effect of a change of 1, as text."""
        if self.row is None:
            return ""
        if self.is_log:
            return number(target_words.percent(float(self.row["value"])))
        return cell(self.row["value"])

    @property
    def size(self) -> float:
        """How large the effect is."""
        return abs(self.effect("value") or 0)


def ordered(facts: Facts, rows: Mapping[str, Row]) -> tuple[Sequence[Line], int]:
    """Return the lines of one target, the largest effect first, and the number of terms left out.

    rows: of coefficients.csv, by term. The levels of a column stay together, by their effects,
    with the reference among them.
    """
    groups = [
        [_line_of(term, facts, rows) for term in group] for group in line_terms.groups(facts.plan)
    ]
    lines: list[Line] = []
    for group in sorted(groups, key=lambda group: -max(line.size for line in group)):
        room = MOST_LINES_SHOWN - len(lines)
        has_reference = any(line.row is None for line in group)
        largest = sorted(group, key=lambda line: -line.size if line.row else -inf)[:room]
        if len(largest) > has_reference:
            # Levels from the highest to the lowest, as a ranking.
            ranked = sorted(largest, key=lambda line: -(line.effect("value") or 0))
            lines += ranked if has_reference else largest
    shown = sum(line.row is not None for line in lines)
    return lines, len(facts.plan.encoded_names) - shown


def _line_of(term: Term, facts: Facts, rows: Mapping[str, Row]) -> Line:
    if term.encoded is None:
        return Line(term, None, 1.0)
    of = term.number or term.encoded
    is_number = term.kind in ("number", "part", "term", "slope")
    change = facts.deviations.get(of, 1.0) if is_number else 1.0
    row = rows[term.encoded]
    return Line(term, row, change, row["target"] in facts.logs)


def cells(line: Line, scale: float, language: Language, *, has_interval: bool) -> list[str]:
    """Return the cells of a line. scale: the largest end of a bar."""
    words = Words(language, SENTENCES)
    name = markup.join([_name(line.term, words), element("small", _change(line, words))])
    if line.row is None:
        bar = _bar((0, 0, 0), scale, words)
        return [name, number(0), bar, *[Html()] * has_interval, Html()]
    value, low, high = (line.effect(key) for key in ("value", "ci_low", "ci_high"))
    interval = Html()
    if low is not None and high is not None:
        interval = words("range", low=number(low, 4), high=number(high, 4))
    bar = _bar((value, low, high), scale, words)
    return [name, number(value, 4), bar, *[interval] * has_interval, line.of_one()]


def _name(term: Term, words: Words) -> Html:
    """Return what a term stands for: `area`, `heating: oil`, `sold: month 3`."""
    column = markup.name(term.column)
    if term.kind in ("level", "knot"):
        return words("named", column=column, what=markup.name(term.level))
    if term.kind in ("part", "part_level"):
        return words("named", column=column, what=_part(term, term.level, words))
    return column


def _part(term: Term, level: str, words: Words) -> Html:
    return words(f"{term.part}_level" if level else term.part, level=level)


def _change(line: Line, words: Words) -> Html:
    term = line.term
    if line.row is None:
        return words("reference")
    if term.kind == "level":
        return words("level", reference=markup.name(term.reference))
    if term.kind == "part_level":
        return words("level", reference=_part(term, term.reference, words))
    if term.kind == "gap":
        return words("present")
    if term.kind == "knot":
        return words("knot", reference=term.reference)
    if term.kind == "both_levels":
        return words("both_levels")
    if term.kind == "slope":
        return words("slope", size=number(line.change, 3), number=markup.name(term.number))
    if term.kind == "term":
        return words("term", size=number(line.change, 3))
    return words("deviation", size=number(line.change, 3))


def _bar(
    figures: tuple[float | None, float | None, float | None], scale: float, words: Words
) -> Html:
    """Return a picture of an effect with its interval, from −scale to scale."""
    places = [
        None if figure is None or not scale or not isfinite(figure) else 80 + 76 * figure / scale
        for figure in figures
    ]
    value, low, high = places
    parts = [element("line", x1=80, y1=0, x2=80, y2=16, class_="zero")]
    if low is not None and high is not None and high > low:
        parts.append(_line(low, high))
    if value is not None:
        parts.append(element("circle", cx=f"{value:.1f}", cy=8, r=3.5, class_="dot"))
    return element(
        "svg", *parts, viewBox="0 0 160 16", width=160, height=16, role="img",
        aria_label=words.plain("bar"),
    )  # fmt: skip


def _line(low: float, high: float) -> Html:
    return element("line", x1=f"{low:.1f}", y1=8, x2=f"{high:.1f}", y2=8, class_="span")

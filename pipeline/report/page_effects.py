"""The report's section on effects: what goes with what, levels beside their reference, by size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite

from pipeline.report import line_terms, markup
from pipeline.report.facts import Facts, Row
from pipeline.report.line_terms import Term
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, cell, number

MOST_LINES_SHOWN = 40
"""Lines of the table for each target, references included."""
MOST_TARGETS_SHOWN = 4

SENTENCES: Sentences = {
    "en": {
        "none": "The model is not linear: no column has a single effect. The pictures show how its"
        " answers vary.",
        "intro": "How much higher {target} is in rows that differ in one column alone, the largest"
        " effect first. **This is what goes together in the table, not what causes what.**",
        "column": "column, and its change",
        "effect": "change in {target}",
        "interval": "95 % interval",
        "interval_reference": "least squares, 95 % interval",
        "unit": "for a change of 1",
        "deviation": "up by {size}, one standard deviation",
        "level": "instead of {reference}",
        "reference": "the reference",
        "present": "if it is missing",
        "range": "{low} to {high}",
        "own": "Where an interval crosses 0, the effect could as well be none. The interval holds"
        " if rows scatter independently and evenly.",
        "penalized": "The effects are shrunk on purpose, so they have no intervals of their own:"
        " those shown belong to least squares without a penalty.",
        "least_squares": "The model was trained step by step; the intervals belong to the exact"
        " least-squares line beside it.",
        "more": "{n} effect more, all smaller, is in `reports/coefficients.csv`. | {n} effects mo"
        "re,"
        " all smaller, are in `reports/coefficients.csv`.",
        "bias": "With every number at 0 and every level at its reference the line for {target}"
        " begins at {value}.",
        "dependent": "{n} column says the same as others, exactly or to within rounding; least"
        " squares leaves it out: {names}. | {n} columns say the same as others, exactly or to"
        " within rounding; least squares leaves them out: {names}.",
        "zeros": "The penalty has set {n} effect to 0. | The penalty has set {n} effects to 0.",
        "bar": "effect with its interval",
        "named": "{column}: {what}",
        "days": "days",
        "year": "year",
        "hour": "hour",
        "month_level": "month {level}",
        "weekday_level": "weekday {level}",
        "targets": "The effects on {n} target more are in `reports/coefficients.csv`. | The effects"
        " on {n} targets more are in `reports/coefficients.csv`.",
    },
    "zh": {
        "none": "模型不是线性的，任何一列都没有单一的影响。图中可见其回答如何变化。",
        "intro": "在其余各列相同而只有一列不同的行之间，{target} 相差多少；按影响由大到小排列。"
        "**这只是数据中的相伴关系，并非因果关系。**",
        "column": "列及其变化",
        "effect": "{target} 的变化",
        "interval": "95 % 置信区间",
        "interval_reference": "最小二乘的 95 % 区间",
        "unit": "每变化 1",
        "deviation": "增加 {size}（一个标准差）",
        "level": "取代 {reference}",
        "reference": "参照水平",
        "present": "该值缺失时",
        "range": "{low} 至 {high}",
        "own": "区间跨过 0 时，影响也可能根本不存在。区间成立的前提是各行独立且等方差地散布。",
        "penalized": "各影响被有意收缩，因此没有自己的区间：所示区间属于无惩罚的最小二乘。",
        "least_squares": "模型由逐步训练得到；所示区间属于与之对照的精确最小二乘线。",
        "more": "其余 {n} 项影响都更小，见 `reports/coefficients.csv`。",
        "bias": "当所有数值为 0 且所有类别取参照水平时，{target} 的起点为 {value}。",
        "dependent": "有 {n} 列与其他列所含信息完全相同（或仅差舍入），最小二乘将其略去：{names}。",
        "zeros": "惩罚使 {n} 项影响变为 0。",
        "bar": "影响及其区间",
        "named": "{column}：{what}",
        "days": "天数",
        "year": "年",
        "hour": "小时",
        "month_level": "{level} 月",
        "weekday_level": "每周第 {level} 天",
        "targets": "对另外 {n} 个目标的影响见 `reports/coefficients.csv`。",
    },
}


@dataclass(frozen=True)
class Line:
    """A line of the table: a term with its figures, or a reference level.

    row: of coefficients.csv; None for a reference. change: what the term changes by, one standard
    deviation of a number; 1 for a level: the row has it instead of the reference.
    """

    term: Term
    row: Row | None
    change: float

    def effect(self, key: str) -> float | None:
        """Return a figure of the term times its change: `value`, `ci_low` or `ci_high`."""
        if self.row is None:
            return 0.0
        figure = self.row[key]
        return float(figure) * self.change if figure else None

    @property
    def size(self) -> float:
        """How large the effect is."""
        return abs(self.effect("value") or 0)


def section(facts: Facts) -> Html:
    """Return a table of the effects on each target."""
    words = Words(facts.language, SENTENCES)
    if not facts.is_linear:
        return markup.paragraph(words("none"))
    parts: list[Html] = []
    for target in facts.targets[:MOST_TARGETS_SHOWN]:
        parts += _of_target(facts, target, words)
    if (more := len(facts.targets) - MOST_TARGETS_SHOWN) > 0:
        parts.append(markup.paragraph(words("targets", n=more)))
    return markup.join(parts)


def _of_target(facts: Facts, target: str, words: Words) -> Iterator[Html]:
    rows = {row["term"]: row for row in facts.coefficients if row["target"] == target}
    name = markup.name(target)
    yield markup.paragraph(words("intro", target=name))
    lines, more = ordered(facts, rows)
    ends = (abs(line.effect(key) or 0) for line in lines for key in ("value", "ci_low", "ci_high"))
    scale = max((end for end in ends if isfinite(end)), default=0)
    header = [
        *(words("column"), words("effect", target=name), Html()),
        words("interval" if facts.is_least_squares else "interval_reference"),
        words("unit"),
    ]
    yield markup.table(
        header, (_cells(line, scale, words) for line in lines), (1, 3, 4), class_="effects"
    )
    if more:
        yield markup.paragraph(words("more", n=more))
    yield from _notes(facts, rows, name, words)


def _notes(facts: Facts, rows: Mapping[str, Row], name: Html, words: Words) -> Iterator[Html]:
    key = (
        "own" if facts.is_least_squares else "penalized" if facts.is_penalized else "least_squares"
    )
    yield markup.paragraph(words(key), class_="note")
    features = [row for term, row in rows.items() if term in facts.plan.encoded_names]
    if dependent := [row["term"] for row in features if not row["reference"]]:
        yield markup.paragraph(words("dependent", n=len(dependent), names=words.names(dependent)))
    zeros = sum(float(row["value"]) == 0 and bool(row["reference"]) for row in features)
    if zeros and facts.is_penalized:
        yield markup.paragraph(words("zeros", n=zeros))
    if "bias" in rows and "bias" not in facts.plan.encoded_names:
        value = cell(rows["bias"]["value"])
        yield markup.paragraph(words("bias", target=name, value=value), class_="note")


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
    is_number = term.kind in ("number", "part")
    change = facts.deviations.get(term.encoded, 1.0) if is_number else 1.0
    return Line(term, rows[term.encoded], change)


def _cells(line: Line, scale: float, words: Words) -> list[str]:
    name = markup.join([_name(line.term, words), element("small", _change(line, words))])
    if line.row is None:
        return [name, number(0), _bar((0, 0, 0), scale, words), Html(), Html()]
    value, low, high = (line.effect(key) for key in ("value", "ci_low", "ci_high"))
    interval = Html()
    if low is not None and high is not None:
        interval = words("range", low=number(low, 4), high=number(high, 4))
    bar = _bar((value, low, high), scale, words)
    return [name, number(value, 4), bar, interval, cell(line.row["value"])]


def _name(term: Term, words: Words) -> Html:
    """Return what a term stands for: `area`, `heating: oil`, `sold: month 3`."""
    column = markup.name(term.column)
    if term.kind == "level":
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

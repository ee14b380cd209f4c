"""The report's section on effects: what goes with what, levels beside their reference, by size."""

from collections.abc import Iterator, Mapping
from math import isfinite

from pipeline.report import markup, page_effect_lines, page_importance, target_words, term_intervals
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, number

MOST_TARGETS_SHOWN = 4

SENTENCES: Sentences = {
    "en": {
        "intro_log": "By how many per cent {target} is higher in rows that differ in one column"
        " alone, the largest effect first. **This is what goes together in the table, not what"
        " causes what.**",
        "intro_absolute": "How much higher the median of {target} is in rows that differ in one"
        " column alone, the largest effect first. **This is what goes together in the table, not"
        " what causes what.**",
        "intro_quantile": "How much higher the {share} quantile of {target} is in rows that differ"
        " in one column alone, the largest effect first. **This is what goes together in the table,"
        " not what causes what.**",
        "intro_quantile_log": "By how many per cent the {share} quantile of {target} is higher in"
        " rows that differ in one column alone, the largest effect first. **This is what goes"
        " together in the table, not what causes what.**",
        "intro": "How much higher {target} is in rows that differ in one column alone, the largest"
        " effect first. **This is what goes together in the table, not what causes what.**",
        "column": "column, and its change",
        "effect": "change in {target}",
        "effect_log": "change in {target}, %",
        "interval": "95 % interval",
        "interval_reference": "least squares, 95 % interval",
        "unit": "for a change of 1",
        "terms": "A column with several terms changes them all: its effect is the sum of their"
        " lines, not one of them.",
        "terms_log": "A column with several terms changes them all: its effect is that of their"
        " lines one after the other (+10 % and then −10 % make −1 %), not one of them.",
        "clustered": "The intervals take into account that errors of rows with an equal {column}"
        " may depend on each other: clustered standard errors, with {freedom} degrees of freedom.",
        "other_loss": "The model was trained with another loss than squared errors, so its effects"
        " have no intervals: those in `reports/coefficients.csv` belong to least squares, which"
        " answers with means.",
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
        "targets": "The effects on {n} target more are in `reports/coefficients.csv`. | The effects"
        " on {n} targets more are in `reports/coefficients.csv`.",
    },
    "zh": {
        "intro_log": "在其余各列相同而只有一列不同的行之间，{target} 相差百分之几；"
        "按影响由大到小排列。**这只是数据中的相伴关系，并非因果关系。**",
        "intro_absolute": "在其余各列相同而只有一列不同的行之间，{target} 的中位数相差多少；"
        "按影响由大到小排列。**这只是数据中的相伴关系，并非因果关系。**",
        "intro_quantile": "在其余各列相同而只有一列不同的行之间，{target} 的 {share} 分位数"
        "相差多少；按影响由大到小排列。**这只是数据中的相伴关系，并非因果关系。**",
        "intro_quantile_log": "在其余各列相同而只有一列不同的行之间，{target} 的 {share} 分位数"
        "相差百分之几；按影响由大到小排列。**这只是数据中的相伴关系，并非因果关系。**",
        "intro": "在其余各列相同而只有一列不同的行之间，{target} 相差多少；按影响由大到小排列。"
        "**这只是数据中的相伴关系，并非因果关系。**",
        "column": "列及其变化",
        "effect": "{target} 的变化",
        "effect_log": "{target} 的变化（%）",
        "interval": "95 % 置信区间",
        "interval_reference": "最小二乘的 95 % 区间",
        "unit": "每变化 1",
        "terms": "一列若出现在几个项中，它变化时这些项一同变化：其影响是各行影响之和，"
        "而不是其中一行。",
        "terms_log": "一列若出现在几个项中，它变化时这些项一同变化："
        "其影响是各行百分比逐次相乘的结果（先 +10 % 再 −10 % 为 −1 %），而不是其中一行。",
        "clustered": "区间考虑到 {column} 相同的各行误差可能彼此相关：采用聚类标准误，"
        "自由度为 {freedom}。",
        "other_loss": "模型以平方误差以外的损失训练，其影响因此没有区间："
        "`reports/coefficients.csv` 中的区间属于以均值作答的最小二乘。",
        "own": "区间跨过 0 时，影响也可能根本不存在。区间成立的前提是各行独立且等方差地散布。",
        "penalized": "各影响被有意收缩，因此没有自己的区间：所示区间属于无惩罚的最小二乘。",
        "least_squares": "模型由逐步训练得到；所示区间属于与之对照的精确最小二乘线。",
        "more": "其余 {n} 项影响都更小，见 `reports/coefficients.csv`。",
        "bias": "当所有数值为 0 且所有类别取参照水平时，{target} 的起点为 {value}。",
        "dependent": "有 {n} 列与其他列所含信息完全相同（或仅差舍入），最小二乘将其略去：{names}。",
        "zeros": "惩罚使 {n} 项影响变为 0。",
        "targets": "对另外 {n} 个目标的影响见 `reports/coefficients.csv`。",
    },
}


def section(facts: Facts) -> Html:
    """Return a table of the effects on each target."""
    words = Words(facts.language, SENTENCES)
    if not facts.is_linear:
        return page_importance.section(facts)
    parts: list[Html] = []
    for target in facts.targets[:MOST_TARGETS_SHOWN]:
        parts += _of_target(facts, target, words)
    if (more := len(facts.targets) - MOST_TARGETS_SHOWN) > 0:
        parts.append(markup.paragraph(words("targets", n=more)))
    return markup.join(parts)


def _of_target(facts: Facts, target: str, words: Words) -> Iterator[Html]:
    table = {row["term"]: row for row in facts.coefficients if row["target"] == target}
    rows = term_intervals.shown(facts, target, table)
    name, log = markup.name(target), "_log" * (target in facts.logs)
    yield markup.paragraph(_intro(facts, name, log, words))
    if facts.plan.terms:
        yield markup.paragraph(words(f"terms{log}"))
    lines, more = page_effect_lines.ordered(facts, rows)
    ends = (abs(line.effect(key) or 0) for line in lines for key in ("value", "ci_low", "ci_high"))
    scale = max((end for end in ends if isfinite(end)), default=0)
    has_intervals = facts.loss.is_squared
    key = "interval" if facts.is_least_squares else "interval_reference"
    header = [
        *(words("column"), words(f"effect{log}", target=name), Html()),
        *[words(key)] * has_intervals,
        words("unit"),
    ]
    places = (1, 3, 4) if has_intervals else (1, 3)
    cells = (
        page_effect_lines.cells(line, scale, facts.language, has_interval=has_intervals)
        for line in lines
    )
    yield markup.table(header, cells, places, class_="effects")
    if more:
        yield markup.paragraph(words("more", n=more))
    yield from _notes(facts, target, rows, words)


def _intro(facts: Facts, target: Html, log: str, words: Words) -> Html:
    if (share := facts.loss.share) is not None:
        return words(f"intro_quantile{log}", target=target, share=share)
    if facts.loss.name == "absolute" and not log:
        return words("intro_absolute", target=target)
    return words(f"intro{log}", target=target)


def _notes(facts: Facts, target: str, rows: Mapping[str, Row], words: Words) -> Iterator[Html]:
    key = (
        "other_loss"
        if not facts.loss.is_squared
        else "own"
        if facts.is_least_squares
        else "penalized"
        if facts.is_penalized
        else "least_squares"
    )
    yield markup.paragraph(words(key), class_="note")
    if facts.loss.is_squared and (freedom := term_intervals.cluster_freedom(facts, target)):
        column = markup.name(str(facts.params["data.clusters"]))
        yield markup.paragraph(words("clustered", column=column, freedom=freedom), class_="note")
    features = [row for term, row in rows.items() if term in facts.plan.encoded_names]
    if dependent := [row["term"] for row in features if not row["reference"]]:
        yield markup.paragraph(words("dependent", n=len(dependent), names=words.names(dependent)))
    zeros = sum(float(row["value"]) == 0 and bool(row["reference"]) for row in features)
    if zeros and facts.is_penalized:
        yield markup.paragraph(words("zeros", n=zeros))
    if "bias" in rows and "bias" not in facts.plan.encoded_names:
        value = float(rows["bias"]["value"])
        if target in facts.logs:
            value = 1 + target_words.percent(value) / 100
        begin = words("bias", target=markup.name(target), value=number(value))
        yield markup.paragraph(begin, class_="note")

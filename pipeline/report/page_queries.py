"""The report's answers to the queries of params.yaml, with their intervals."""

from collections.abc import Iterator

from pipeline.report import interval_words, markup, page_rows
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, cell

MOST_QUERIES_SHOWN = 12

SENTENCES: Sentences = {
    "en": {
        "heading": "{target} = **{value}**",
        "heading_median": "{target} = **{value}** (median)",
        "heading_quantile": "{share} quantile of {target} = **{value}**",
        "note_log": "A new measurement under the same conditions lies in its 95 % prediction"
        " interval in about 19 of 20 cases, if the logarithms scatter around the line"
        " independently, evenly and about normally.",
        "interval": "95 % prediction interval: {low} to {high}",
        "least_squares": "least squares: {value}, 95 % prediction interval {low} to {high}",
        "outside": "Outside of what the training rows had: a guess, whose error no figure here"
        " tells.",
        "note": "A new measurement under the same conditions lies in its 95 % prediction interval"
        " in"
        " about 19 of 20 cases, if the rows scatter around the line independently, evenly and"
        " about normally.",
        "note_reference": "The interval belongs to the least-squares line beside the model, not to"
        " the model itself.",
        "more": "{n} answer more is in `reports/predictions.csv`. | {n} answers more are in"
        " `reports/predictions.csv`.",
    },
    "zh": {
        "heading": "{target} = **{value}**",
        "heading_median": "{target} = **{value}**（中位数）",
        "heading_quantile": "{target} 的 {share} 分位数 = **{value}**",
        "note_log": "若各行的对数独立、等方差且大致正态地散布在回归线两侧，"
        "则在相同条件下的一次新测量，大约 20 次中有 19 次落在其 95 % 预测区间内。",
        "interval": "95 % 预测区间：{low} 至 {high}",
        "least_squares": "最小二乘：{value}，95 % 预测区间 {low} 至 {high}",
        "outside": "超出训练数据的范围：属于外推，其误差无从得知。",
        "note": "若各行独立、等方差且大致正态地散布在回归线两侧，则在相同条件下的一次新测量，"
        "大约 20 次中有 19"
        " 次落在其 95 % 预测区间内。",
        "note_reference": "该区间属于与模型对照的最小二乘线，而不属于模型本身。",
        "more": "其余 {n} 个回答见 `reports/predictions.csv`。",
    },
}


def section(facts: Facts) -> Html:
    """Return each answer with its interval and its question; nothing if nothing was asked."""
    words = Words(facts.language, SENTENCES)
    shown = facts.predictions[:MOST_QUERIES_SHOWN]
    if not shown:
        return Html()
    parts = [element("div", *(_query(facts, place, words) for place in range(len(shown))))]
    if any(f"{target} model low 95%" in shown[0] for target in facts.targets):
        told = interval_words.for_readers(facts.metrics, facts.params, markup.name, facts.language)
        parts.append(markup.paragraph(Html(told), class_="note"))
    elif _has_reference(facts) and any(_ends(row, t) for row in shown for t in facts.targets):
        parts.append(markup.paragraph(words("note_log" if facts.logs else "note"), class_="note"))
        if not facts.is_least_squares:
            parts.append(markup.paragraph(words("note_reference"), class_="note"))
    if len(facts.predictions) > len(shown):
        parts.append(markup.paragraph(words("more", n=len(facts.predictions) - len(shown))))
    return markup.join(parts)


def _query(facts: Facts, place: int, words: Words) -> Html:
    row = facts.predictions[place]
    answers = [line for target in facts.targets for line in _answer(facts, row, target, words)]
    asked = (element("li", each) for each in page_rows.values(facts, row))
    inside = place >= len(facts.queries_in_range) or facts.queries_in_range[place]
    warning = [] if inside else [markup.paragraph(words("outside"), class_="warning")]
    return element("div", *answers, element("ul", *asked, class_="asked"), *warning, class_="query")


def _answer(facts: Facts, row: Row, target: str, words: Words) -> Iterator[Html]:
    """Yield the answer for a target, then its interval if there is one."""
    heading = words(
        _heading(facts, target),
        target=markup.name(target),
        value=cell(row[target]),
        share=facts.loss.share,
    )
    yield markup.paragraph(heading, class_="answer")
    if row.get(f"{target} model low 95%"):
        ends = {end: cell(row[f"{target} model {end} 95%"]) for end in ("low", "high")}
        yield markup.paragraph(words("interval", **ends), class_="interval")
    elif _has_reference(facts) and (ends := _ends(row, target)):
        key = "interval" if facts.is_least_squares else "least_squares"
        reference = cell(row[f"{target} reference"])
        yield markup.paragraph(words(key, **ends, value=reference), class_="interval")


def _ends(row: Row, target: str) -> dict[str, str]:
    """Return the ends of the interval of least squares, in cells; nothing if there is none.

    They are called the reference's unless the model is the reference.
    """
    ends = {}
    for end in ("low", "high"):
        told = row.get(f"{target} reference {end} 95%") or row.get(f"{target} {end} 95%")
        if not told:
            return {}
        ends[end] = cell(told)
    return ends


def _heading(facts: Facts, target: str) -> str:
    if facts.loss.share is not None:
        return "heading_quantile"
    is_median = target in facts.logs or facts.loss.name == "absolute"
    return "heading_median" if is_median else "heading"


def _has_reference(facts: Facts) -> bool:
    """Return True if least squares, beside the model, answers the same question: a mean."""
    return facts.loss.is_squared

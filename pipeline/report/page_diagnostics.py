"""The report's section on diagnostics: what the usual figures say of this fit, in words."""

import re
from collections.abc import Iterator

from pipeline.report import diagnostic_words, markup, page_rows
from pipeline.report.diagnostic_words import Sentence
from pipeline.report.facts import Facts, Row
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, cell, number

MOST_ROWS_SHOWN = 8

BACKTICK = "\0"
"""Stands for a backtick of a name: in the sentences of diagnostics a backtick begins code."""

SENTENCES: Sentences = {
    "en": {
        "intro": "Whether the intervals and the single effects can be believed.",
        "intro_reference": "Of the least-squares line on the rows that train, beside the model:"
        " whether its intervals and single effects can be believed.",
        "condition_fine": "**Condition number {value}:** the columns tell different things (up to"
        " 30"
        " is unsuspicious).",
        "condition_high": "**Condition number {value}:** the columns, the intercept included, nea"
        "rly"
        " depend on each other. Read their effects together, not one by one, or leave one out.",
        "condition_beyond": "**Condition number beyond what float64 holds:** some columns say the"
        " same. Leave one of each such pair out.",
        "freedom": "**{n} degree of freedom** is left for the errors. | **{n} degrees of freedom**"
        " are left for the errors.",
        "of_test": "{sentence} **Take care.**",
        "influence": "The rows that move the fit to {target} most, with what it would miss them by"
        " without them in units of that error (studentized residual; more than 3 is much):",
        "picture": "Each row: its studentized residual over its leverage, which says how unlike"
        " other rows it is. Rows that are far to the right and far from 0 move the fit.",
        "picture_alt": "Scatter plot of studentized residuals over leverage",
        "actual": "actual",
        "predicted": "predicted",
        "studentized": "studentized residual",
        "cooks": "Cook's distance",
        "more_rows": "{numbering} More rows, and their leverage, are in `reports/influence.csv`.",
        "freedom_none": "**No degree of freedom** is left: there are as many numbers as rows, so a"
        " perfect fit says nothing.",
    },
    "zh": {
        "intro": "区间与单个影响是否可信。",
        "intro_reference": "以下针对与模型对照的、训练数据上的最小二乘线："
        "其区间与单个影响是否可信。",
        "condition_fine": "**条件数 {value}：**各列所含信息互不重复（30 以内属正常）。",
        "condition_high": "**条件数 {value}：**各列（含截距）近乎线性相关。应合并解读其影响，"
        "而不应逐一解读，或舍去其中一列。",
        "condition_beyond": "**条件数超出 float64 的范围：**有些列所含信息相同，"
        "应在每一对中舍去一列。",
        "freedom": "误差尚有 **{n} 个自由度**。",
        "of_test": "{sentence}**请注意。**",
        "influence": "对 {target} 的拟合影响最大的行。"
        "学生化残差是不用该行拟合时对它的误差与其标准误之比，大于 3 即为偏大：",
        "picture": "每一行的学生化残差（纵轴）与杠杆值（横轴，表示该行与其他行相异的程度）。"
        "靠右且远离 0 的行会移动拟合。",
        "picture_alt": "学生化残差对杠杆值的散点图",
        "actual": "实际值",
        "predicted": "预测值",
        "studentized": "学生化残差",
        "cooks": "Cook 距离",
        "more_rows": "{numbering}更多的行及其杠杆值见 `reports/influence.csv`。",
        "freedom_none": "**没有剩余的自由度**：要估计的数与行数一样多，完全吻合并不说明任何问题。",
    },
}


def section(facts: Facts) -> Html:
    """Return a sentence for each diagnostic, and the most influential rows.

    Nothing if the model is not linear.
    """
    if not facts.is_linear:
        return Html()
    words = Words(facts.language, SENTENCES)
    told = [*_of_tests(facts, words), *_of_columns(facts, words)]
    intro = words("intro" if facts.is_least_squares else "intro_reference")
    parts = [markup.paragraph(intro), markup.items(told), *_influence(facts, words)]
    return markup.join(parts)


def _of_tests(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield the sentences on `diagnostics` of metrics.json, the worrying ones first."""
    diagnostics = facts.metrics.get("diagnostics", {})
    sentences = diagnostic_words.sentences(diagnostics, _kept, facts.language)
    for each in sorted(sentences, key=lambda each: each.verdict != "worrying"):
        said = as_html(each)
        yield words("of_test", sentence=said) if each.verdict == "worrying" else said


def _kept(name: str) -> str:
    return name.replace("`", BACKTICK)


def as_html(sentence: Sentence) -> Html:
    """Return a sentence in which a backtick begins and ends code, and all else is text."""
    with_code = re.sub(r"`(.+?)`", r"<code>\1</code>", markup.text(sentence.text))
    return Html(with_code.replace(BACKTICK, "`"))


def _of_columns(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what the condition number and the degrees of freedom say."""
    reference = facts.metrics["reference"]
    condition = reference["condition_number"]
    if condition is None:
        yield words("condition_beyond")
    else:
        key = "condition_high" if facts.condition_is_high else "condition_fine"
        yield words(key, value=number(condition, 3))
    freedom = reference["degrees_of_freedom"]
    yield words("freedom", n=freedom) if freedom > 0 else words("freedom_none")


def _influence(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield a table of the most influential rows for each target."""
    for target in facts.targets:
        rows = [row for row in facts.influence if row["target"] == target and row["cooks_distance"]]
        if not rows:
            continue
        shown = rows[:MOST_ROWS_SHOWN]
        places = page_rows.place_columns(shown)
        header = page_rows.place_header(places, facts.language)
        header += [words(name) for name in ("actual", "predicted", "studentized", "cooks")]
        (fitted,) = facts.plan.on_fitted_scale([target])
        yield markup.paragraph(words("influence", target=markup.name(fitted)))
        yield markup.table(
            header,
            (page_rows.place(row, places) + _figures(row) for row in shown),
            range("file" in places, len(header)),
        )
        numbering = page_rows.numbering(shown, facts.language)
        yield markup.paragraph(words("more_rows", numbering=numbering), class_="note")
    if "influence" in facts.plots and _moves(facts):
        picture = facts.plots["influence"]
        yield markup.picture(picture, words.plain("picture_alt"), words("picture"))


def _moves(facts: Facts) -> bool:
    """Return True if a row moves the fit: else the picture, 40 kB, shows nothing."""
    of_targets = facts.metrics.get("diagnostics", {}).get("targets", {}).values()
    return any(each.get("influence", {}).get("verdict") != "fine" for each in of_targets)


def _figures(row: Row) -> list[str]:
    figures = ("actual", "predicted", "studentized_residual", "cooks_distance")
    digits = {"studentized_residual": 3, "cooks_distance": 3}
    return [cell(row[key], digits.get(key, 5)) for key in figures]

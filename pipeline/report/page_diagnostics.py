"""The report's section on diagnostics: what the usual figures say of this fit, in words."""

from collections.abc import Iterator

from pipeline.report import markup
from pipeline.report.facts import Facts
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, number

SENTENCES: Sentences = {
    "en": {
        "intro": "Whether the intervals and the single effects can be believed.",
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
        "freedom_none": "**No degree of freedom** is left: there are as many numbers as rows, so a"
        " perfect fit says nothing.",
    },
    "zh": {
        "intro": "区间与单个影响是否可信。",
        "condition_fine": "**条件数 {value}：**各列所含信息互不重复（30 以内属正常）。",
        "condition_high": "**条件数 {value}：**各列（含截距）近乎线性相关。应合并解读其影响，"
        "而不应逐一解读，或舍去其中一列。",
        "condition_beyond": "**条件数超出 float64 的范围：**有些列所含信息相同，"
        "应在每一对中舍去一列。",
        "freedom": "误差尚有 **{n} 个自由度**。",
        "freedom_none": "**没有剩余的自由度**：要估计的数与行数一样多，完全吻合并不说明任何问题。",
    },
}


def section(facts: Facts) -> Html:
    """Return a sentence for each diagnostic; nothing if the model is not linear."""
    if not facts.is_linear:
        return Html()
    words = Words(facts.language, SENTENCES)
    return markup.join([markup.paragraph(words("intro")), markup.items(_sentences(facts, words))])


def _sentences(facts: Facts, words: Words) -> Iterator[Html]:
    reference = facts.metrics["reference"]
    condition = reference["condition_number"]
    if condition is None:
        yield words("condition_beyond")
    else:
        key = "condition_high" if facts.condition_is_high else "condition_fine"
        yield words(key, value=number(condition, 3))
    freedom = reference["degrees_of_freedom"]
    yield words("freedom", n=freedom) if freedom > 0 else words("freedom_none")

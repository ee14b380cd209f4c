"""The report's section on limits: what the model must not be used for."""

from collections.abc import Iterator

from pipeline.report import interval_words, limits, markup
from pipeline.report.facts import Facts
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, number

SENTENCES: Sentences = {
    "en": {
        "causes": "**Not for causes.** That two things go together in this table does not say that"
        " changing one changes the other.",
        "extrapolation": "**Not outside of what it has seen.** Beyond the values in the section on"
        " the data it extrapolates, and no figure here says how well.",
        "order": "**Not with columns in another order.** Columns given by position cannot be"
        " checked; those given by name are.",
        "refused": "**Not for rows that it refuses:** {reasons}.",
        "refused_gaps": "a missing value in {names}",
        "refused_levels": "a level that no training row has, of {names}",
        "refused_dates": "a month or weekday that no training row has, of {names}",
        "float32": "**Not for more than seven digits:** it computes in float32.",
        "interval": "**Its intervals are not for granted:** they hold if the rows scatter around "
        "the"
        " line independently, evenly and about normally. The pictures show whether they do.",
        "calibrated": "**Its intervals are for all rows together.** {told}",
        "refused_logs": "a value that is not above 0, of {names}",
        "refused_roots": "a value below 0, of {names}",
        "condition": "**Not for single effects of columns that nearly say the same.** Their shares"
        " of the effect could be divided otherwise (condition number {condition}; more than 30 is"
        " much). Predictions are not harmed.",
        "beyond": "beyond what float64 holds",
        "formula": "**Not before {names} is known**, if what it is a formula of becomes known with"
        " it: check that every column is there when the question is asked.",
        "few": "**Not for fine differences:** {rows} training rows are few for {numbers} numbers.",
        "unlike": "**Not for other times, places or people** than those in the table, without"
        " measuring again: what has changed since is not in it.",
        "between": "; ",
    },
    "zh": {
        "causes": "**不可用于因果推断。**两者在本数据中相伴出现，"
        "并不意味着改变其一就会改变另一个。",
        "extrapolation": "**不可用于所见范围之外。**超出“数据”一节所列取值时模型只是外推，"
        "其准确程度无从得知。",
        "order": "**各列的次序不可更换。**按位置给出的列无法核对，按名称给出的列才会核对。",
        "refused": "**对下列情形模型拒绝回答：**{reasons}。",
        "refused_gaps": "{names} 缺失",
        "refused_levels": "{names} 取训练数据中没有的水平",
        "refused_dates": "{names} 落在训练数据中没有的月份或星期",
        "float32": "**不可要求七位以上的有效数字：**模型以 float32 计算。",
        "interval": "**区间并非无条件成立：**前提是各行独立、等方差且大致正态地散布在回归线两侧。"
        "是否如此可由图中看出。",
        "calibrated": "**区间只对全部行总体成立。**{told}",
        "refused_logs": "{names} 取不大于 0 的值",
        "refused_roots": "{names} 取小于 0 的值",
        "condition": "**不可单独解读所含信息几乎相同的列的影响。"
        "**影响在它们之间还可另作分配（条件数 {condition}，大于 30"
        " 即为偏高）；预测不受损害。",
        "beyond": "超出 float64 的范围",
        "formula": "**在 {names} 已知之前不可使用**——若构成其公式的列要与它同时才能得知："
        "请确认提问时每一列都已存在。",
        "few": "**不可用于细微差别：**以 {rows} 行训练数据估计 {numbers} 个数，行数偏少。",
        "unlike": "**未经重新检验，不可用于与本数据不同的时期、地点或人群："
        "**其后的变化不在数据之中。",
        "between": "；",
    },
}


def section(facts: Facts) -> Html:
    """Return the list of limits, the most important first."""
    words = Words(facts.language, SENTENCES)
    return markup.items(_limits(facts, words), "limits")


def _limits(facts: Facts, words: Words) -> Iterator[Html]:
    yield words("causes")
    if facts.exact_notes:
        yield words("formula", names=words.names([*facts.exact_notes]))
    for key in limits.keys(facts):
        if key == "refused":
            yield words(key, reasons=_refused(facts, words))
        elif key == "interval" and "interval" in facts.metrics:
            told = interval_words.for_readers(
                facts.metrics, facts.params, markup.name, facts.language
            )
            yield words("calibrated", told=Html(told))
        elif key == "condition":
            condition = facts.metrics["reference"]["condition_number"]
            known = words("beyond") if condition is None else number(condition, 3)
            yield words(key, condition=known)
        else:
            yield words(key)
    if facts.few_rows:
        yield words("few", rows=facts.training_rows, numbers=len(facts.plan.encoded_names) + 1)


def _refused(facts: Facts, words: Words) -> Html:
    gaps, levels, dates, logs, roots = limits.refused(facts.plan)
    named = tuple(each.name for each in dates)
    kinds = {"gaps": gaps, "levels": levels, "dates": named, "logs": logs, "roots": roots}
    texts = (words(f"refused_{k}", names=words.names(names)) for k, names in kinds.items() if names)
    return markup.join(texts, words.plain("between"))

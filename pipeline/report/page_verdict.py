"""The verdict of the report: how far off an answer is, beside always giving the same one."""

import math
from collections.abc import Iterator

from pipeline.report import judgement, markup
from pipeline.report.facts import Facts
from pipeline.report.judgement import Judgement
from pipeline.report.markup import Html, element
from pipeline.report.target_words import percent as change_in_percent
from pipeline.report.words import Sentences, Words, number, percent

SENTENCES: Sentences = {
    "en": {
        "of_test": "on rows that the model has never seen",
        "of_folds": "on rows that were left out in turn",
        "of_train": "on the rows that it has learnt from",
        "perfect": "Right in every row",
        "close": "Close",
        "good": "Good",
        "moderate": "Moderate",
        "weak": "Weak",
        "none": "Not better than the mean",
        "none_mae": "Not better than the median",
        "unknown": "Cannot be judged",
        "untested": "Not tested on new rows",
        "as_asked": "The share below is as asked",
        "not_as_asked": "The share below is not as asked",
        "rmse": "**{grade}.** A typical prediction is off by **{error}** {rows}; to answer always"
        " with the mean would be off by {alone}.",
        "rmse_alone": "**{grade}.** A typical prediction is off by **{error}** {rows}.",
        "mae": "**{grade}.** A prediction is off by **{error}** on average {rows}; to answer always"
        " with the median would be off by {alone}.",
        "mae_alone": "**{grade}.** A prediction is off by **{error}** on average {rows}.",
        "fitted": "**{grade}.** A typical prediction of {fitted} is off by **{error}** {rows},"
        " which is {change} % of the answer; to answer always with the mean would be off by"
        " {alone}.",
        "fitted_alone": "**{grade}.** A typical prediction of {fitted} is off by **{error}**"
        " {rows}, which is {change} % of the answer.",
        "quantile": "**{grade}.** **{below}** of the values lie at or below their answer {rows};"
        " {share} should.",
        "quantile_between": "**{grade}.** {under} of the values lie below their answer, **{below}**"
        " at or below it {rows}; {share} were asked for.",
        "rmse_share": "The model explains {share} of what makes rows differ (R² {r2}).",
        "rmse_worse": "R² is {r2}: below 0, the mean would have been the better answer.",
        "mae_share": "Its mean absolute error is {less} smaller than that of always answering with"
        " the median.",
        "mae_worse": "Always answering with the median would have had the smaller mean absolute"
        " error.",
        "quantile_share": "Its mean quantile loss, {error}, is {less} smaller than that of the best"
        " single answer for all rows, {alone}.",
        "quantile_worse": "Its mean quantile loss, {error}, is not smaller than that of the best"
        " single answer for all rows, {alone}.",
        "flattered": "On its own rows a model looks better than it is.",
        "rmse_note": "“Typical” is the root mean square error, in which large errors count more. It"
        " is of all targets together if there are several.",
        "own_unit_note": "“Typical” is the root mean square error, in which large errors count"
        " more, in the unit of {targets}, not of the logarithm that is fitted. It is of all targets"
        " together if there are several.",
        "fitted_note": "“Typical” is the root mean square error on the scale that is fitted. It is"
        " of all targets together if there are several.",
        "mae_note": "“On average” is the mean absolute error, in which each error counts by its"
        " size. It is of all targets together if there are several.",
        "quantile_note": "A typical error and R² do not judge this model: its answers are not meant"
        " to lie in the middle.",
        "model_bar": "this model",
        "rmse_bar": "always the mean",
        "mae_bar": "always the median",
        "quantile_bar": "one answer for all",
        "bars": "Error of this model beside that of always giving the same answer",
    },
    "zh": {
        "of_test": "在模型从未见过的行上",
        "of_folds": "在轮流留出的行上",
        "of_train": "在用于训练的行上",
        "perfect": "每一行都准确",
        "close": "很准",
        "good": "较好",
        "moderate": "中等",
        "weak": "较弱",
        "none": "不优于均值",
        "none_mae": "不优于中位数",
        "unknown": "无法评判",
        "untested": "未经新数据检验",
        "as_asked": "低于回答的比例符合要求",
        "not_as_asked": "低于回答的比例不符合要求",
        "rmse": "**{grade}。**{rows}，一次预测的典型误差为 **{error}**；若一律以均值作答，"
        "误差为 {alone}。",
        "rmse_alone": "**{grade}。**{rows}，一次预测的典型误差为 **{error}**。",
        "mae": "**{grade}。**{rows}，一次预测平均相差 **{error}**；若一律以中位数作答，"
        "平均相差 {alone}。",
        "mae_alone": "**{grade}。**{rows}，一次预测平均相差 **{error}**。",
        "fitted": "**{grade}。**{rows}，{fitted} 的典型误差为 **{error}**，即回答的 {change} %；"
        "若一律以均值作答，误差为 {alone}。",
        "fitted_alone": "**{grade}。**{rows}，{fitted} 的典型误差为 **{error}**，"
        "即回答的 {change} %。",
        "quantile": "**{grade}。**{rows}，**{below}** 的数值不高于其回答；要求为 {share}。",
        "quantile_between": "**{grade}。**{rows}，{under} 的数值低于其回答，**{below}** 的数值"
        "不高于其回答；要求为 {share}。",
        "rmse_share": "各行之间的差异有 {share} 可由模型解释（R² = {r2}）。",
        "rmse_worse": "R² 为 {r2}，小于 0：以均值作答反而更好。",
        "mae_share": "其平均绝对误差比一律以中位数作答小 {less}。",
        "mae_worse": "一律以中位数作答时平均绝对误差反而更小。",
        "quantile_share": "其平均分位数损失为 {error}，比对所有行给出同一个最优回答时的"
        " {alone} 小 {less}。",
        "quantile_worse": "其平均分位数损失为 {error}，不小于对所有行给出同一个最优回答时的"
        " {alone}。",
        "flattered": "在自己的训练数据上，模型总显得比实际更好。",
        "rmse_note": "“典型误差”指均方根误差，较大的误差所占比重更大；有多个目标时，"
        "为全部目标合并计算。",
        "own_unit_note": "“典型误差”指均方根误差，较大的误差所占比重更大；它采用 {targets}"
        " 本身的单位，而不是所拟合的对数；有多个目标时，为全部目标合并计算。",
        "fitted_note": "“典型误差”指所拟合尺度上的均方根误差；有多个目标时，为全部目标合并计算。",
        "mae_note": "“平均相差”指平均绝对误差，每个误差按其大小计；有多个目标时，"
        "为全部目标合并计算。",
        "quantile_note": "典型误差与 R² 不能用来评判此模型：其回答本来就不在中间位置。",
        "model_bar": "本模型",
        "rmse_bar": "一律用均值",
        "mae_bar": "一律用中位数",
        "quantile_bar": "同一个回答",
        "bars": "本模型的误差与一律给出同一回答的误差之比较",
    },
}


def card(facts: Facts) -> Html:
    """Return the verdict with its bars, and what share of the differences is explained."""
    words, judged = Words(facts.language, SENTENCES), judgement.judged(facts)
    return element(
        "div",
        markup.paragraph(_verdict(facts, judged, words), class_="verdict"),
        _bars(judged, words),
        markup.paragraph(markup.join(_share(facts, judged, words), " " * (facts.language == "en"))),
        class_="card",
    )


def note(facts: Facts) -> Html:
    """Return what the figure of the verdict is."""
    words, judged = Words(facts.language, SENTENCES), judgement.judged(facts)
    if judged.measure == "rmse" and facts.logs:
        return words("own_unit_note", targets=words.names(facts.logs))
    return words(f"{judged.measure}_note")


def fitted(facts: Facts, words: Words) -> Html:
    """Return the names of the targets on the scale on which they are fitted: log(price)."""
    return words.names(facts.plan.on_fitted_scale(facts.targets))


def _verdict(facts: Facts, judged: Judgement, words: Words) -> Html:
    rows = words(f"of_{facts.evidence}")
    untested = facts.evidence == "train"
    if judged.measure == "quantile":
        key = "as_asked" if judgement.is_as_asked(facts) else "not_as_asked"
        part = facts.metrics[facts.evidence]
        under = float(part.get("strictly_below", part["below"]))
        return words(
            "quantile" if under == part["below"] else "quantile_between",
            grade=words("untested" if untested else key),
            under=_share_of_rows(under),
            below=_share_of_rows(float(part["below"])),
            share=_share_of_rows(facts.loss.share or 0.0),
            rows=rows,
        )
    grade = "none_mae" if judged.measure == "mae" and judged.grade == "none" else judged.grade
    known = {
        "grade": words("untested" if untested else grade),
        "error": number(judged.error, 3),
        "rows": rows,
    }
    if judged.measure == "fitted":
        change = number(change_in_percent(judged.error), 2)
        known |= {"fitted": fitted(facts, words), "change": f"±{change}"}
    if judged.alone is None:
        return words(f"{judged.measure}_alone", **known)
    return words(judged.measure, alone=number(judged.alone, 3), **known)


def _share_of_rows(share: float) -> str:
    return f"{number(100 * share, 3)} %"


def _share(facts: Facts, judged: Judgement, words: Words) -> Iterator[Html]:
    """Yield what share is explained."""
    key = "rmse" if judged.measure == "fitted" else judged.measure
    if key == "rmse" and judged.r2 is not None:
        told = "share" if judged.r2 >= 0 else "worse"
        yield words(f"rmse_{told}", share=percent(judged.r2), r2=number(judged.r2, 3))
    elif key != "rmse" and judged.alone:
        less = 1 - judged.error / judged.alone
        figures = {"error": number(judged.error, 3), "alone": number(judged.alone, 3)}
        yield words(f"{key}_{'share' if less > 0 else 'worse'}", less=percent(less), **figures)
    if facts.evidence == "train":
        yield words("flattered")


def _bars(judged: Judgement, words: Words) -> Html:
    """Return two bars: the error of the model beside that of always the same answer."""
    alone = judged.alone
    largest = max(judged.error, alone or 0)
    if alone is None or not largest or not math.isfinite(largest):
        return Html()
    same = "rmse" if judged.measure == "fitted" else judged.measure
    rows = (("model_bar", judged.error, "model"), (f"{same}_bar", alone, "mean"))
    return bars([(words(label), error, kind) for label, error, kind in rows], words.plain("bars"))


def bars(rows: list[tuple[Html, float, str]], label: str) -> Html:
    """Return a bar for each row: its name, its figure and the class of its colour.

    label: what a reader who does not see them is told. The figures are finite, one is above 0.
    """
    largest = max(size for _, size, _ in rows)
    shown = [
        element(
            "div",
            element("span", name, class_="label"),
            element(
                "span",
                element(
                    "span",
                    class_=f"bar {kind}",
                    style=f"width:{100 * max(size, 0) / largest:.1f}%",
                ),
                class_="track",
            ),
            element("span", number(size, 3), class_="value"),
            class_="row",
        )
        for name, size, kind in rows
    ]
    return element("div", *shown, class_="bars", role="img", aria_label=label)

"""The report's answer in brief: how good the model is, in words, and what worries its makers."""

import math
from collections.abc import Iterator

from pipeline.report import diagnostic_words, markup
from pipeline.report.facts import Facts
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, number, percent

SENTENCES: Sentences = {
    "en": {
        "linear": "A **linear model** learnt it from {n} row: each column adds its share to the"
        " answer. | A **linear model** learnt it from {n} rows: each column adds its share to the"
        " answer.",
        "module": "A **model that is not a line** learnt it from {n} row. | A **model that is not a"
        " line** learnt it from {n} rows.",
        "units": "Every figure of {targets} here is in the unit that the table has it in.",
        "of_test": "on rows that the model has never seen",
        "of_folds": "on rows that were left out in turn",
        "of_train": "on the rows that it has learnt from",
        "perfect": "Right in every row",
        "close": "Close",
        "good": "Good",
        "moderate": "Moderate",
        "weak": "Weak",
        "none": "Not better than the mean",
        "unknown": "Cannot be judged",
        "untested": "Not tested on new rows",
        "verdict": "**{grade}.** A typical prediction is off by **{rmse}** {rows}; to answer always"
        " with the mean would be off by {mean}.",
        "verdict_alone": "**{grade}.** A typical prediction is off by **{rmse}** {rows}.",
        "share": "The model explains {share} of what makes rows differ (R² {r2}).",
        "worse": "R² is {r2}: below 0, the mean would have been the better answer.",
        "flattered": "On its own rows a model looks better than it is.",
        "typical": "“Typical” is the root mean square error, in which large errors count more. It"
        " is"
        " of all targets together if there are several.",
        "model_bar": "this model",
        "mean_bar": "always the mean",
        "bars": "Typical error of this model beside that of always answering the mean",
        "worries": "What worries its makers",
        "no_worries": "None of the usual reasons for worry was found: rows held out, enough rows,"
        " columns that tell different things, no target that is a formula of the features.",
        "w_train": "**No row was held out**, so the error on new rows is not known.",
        "w_folds": "The folds measure the same procedure, not this very model, and no row was held"
        " out for a last word.",
        "w_chosen": "The folds that judge it have also chosen its penalty, which flatters it a"
        " little.",
        "w_worse": "**Always answering the mean would be better.** The model should not be used.",
        "w_formula": "**{target} is a formula of the features: {formula}.** A model is then not"
        " needed, or the features are known only once {target} is.",
        "w_constant": "**{target} has one value in every row**, so there was nothing to learn.",
        "w_heart": "It is much better on the rows that it has learnt from (error {own}) than on"
        " others ({other}): part of it was learnt by heart.",
        "w_few": "There are {rows} training rows for {numbers} numbers that are learnt, fewer than"
        " 10 for each: single effects follow chance.",
        "w_condition": "Some columns say nearly the same: their single effects say little, the"
        " predictions are not harmed.",
        "w_tests": "{n} diagnostic of the fit is worrying: see the section on diagnostics. | {n}"
        " diagnostics of the fit are worrying: see the section on diagnostics.",
        "w_outside": "{out} of {of} rows held out are unlike the training rows in some column: th"
        "ere"
        " the model guesses.",
        "w_dropped": "{share} of the rows of the source were left out.",
    },
    "zh": {
        "linear": "答案由一个**线性模型**给出，它从 {n} 行数据中学得：每一列各自对结果贡献一份。",
        "module": "答案由一个**非线性模型**给出，它从 {n} 行数据中学得。",
        "units": "文中 {targets} 的数值均采用数据表中的单位。",
        "of_test": "在模型从未见过的行上",
        "of_folds": "在轮流留出的行上",
        "of_train": "在用于训练的行上",
        "perfect": "每一行都准确",
        "close": "很准",
        "good": "较好",
        "moderate": "中等",
        "weak": "较弱",
        "none": "不优于均值",
        "unknown": "无法评判",
        "untested": "未经新数据检验",
        "verdict": "**{grade}。**{rows}，一次预测的典型误差为 **{rmse}**；若一律以均值作答，"
        "误差为 {mean}。",
        "verdict_alone": "**{grade}。**{rows}，一次预测的典型误差为 **{rmse}**。",
        "share": "各行之间的差异有 {share} 可由模型解释（R² = {r2}）。",
        "worse": "R² 为 {r2}，小于 0：以均值作答反而更好。",
        "flattered": "在自己的训练数据上，模型总显得比实际更好。",
        "typical": "“典型误差”指均方根误差，较大的误差所占比重更大；有多个目标时，"
        "为全部目标合并计算。",
        "model_bar": "本模型",
        "mean_bar": "一律用均值",
        "bars": "本模型的典型误差与一律以均值作答的误差之比较",
        "worries": "制作者的顾虑",
        "no_worries": "常见的隐患均未发现：有留出的检验数据，行数充足，各列所含信息不重复，"
        "目标也不是特征的现成公式。",
        "w_train": "**没有留出检验数据**，因此在新数据上的误差未知。",
        "w_folds": "交叉验证衡量的是同一建模方法，而不是这个模型本身；也没有留出数据作最后检验。",
        "w_chosen": "用来评价模型的折同时也用来选择惩罚强度，评价因而略偏乐观。",
        "w_worse": "**一律以均值作答反而更好**，此模型不应使用。",
        "w_formula": "**{target} 就是特征的一个公式：{formula}。**此时要么不需要模型，"
        "要么这些特征只有在 {target} 已知之后才能得到。",
        "w_constant": "**{target} 在每一行都是同一个值**，没有可学习的内容。",
        "w_heart": "训练数据上的误差（{own}）远小于其他数据上的误差（{other}）：模型存在过拟合。",
        "w_few": "要估计 {numbers} 个数，训练数据只有 {rows} 行，平均每个不足 10 行："
        "单个影响受偶然性左右。",
        "w_condition": "有些列所含信息几乎相同：它们各自的影响没有多少意义，但预测不受损害。",
        "w_tests": "有 {n} 项拟合诊断令人担忧，见“诊断”一节。",
        "w_outside": "留出的 {of} 行中有 {out} 行在某一列上与训练数据不同类："
        "对这些行模型只是外推。",
        "w_dropped": "数据源中有 {share} 的行未被采用。",
    },
}

MUCH_DROPPED = 0.1
"""Share of the rows of the source; and of rows held out that are unlike those that trained."""

GRADES = ((1.0, "perfect"), (0.9, "close"), (0.6, "good"), (0.3, "moderate"), (0.0, "weak"))
"""The smallest R² of each grade: the first that is reached holds."""


def section(facts: Facts) -> Html:
    """Return what the model is, the verdict and the worries."""
    words = Words(facts.language, SENTENCES)
    worries = [*_worries(facts, words)]
    return markup.join(
        [
            element(
                "div",
                markup.paragraph(_verdict(facts, words), class_="verdict"),
                _bars(facts, words),
                markup.paragraph(*_r2(facts, words)),
                class_="card",
            ),
            markup.paragraph(
                words("linear" if facts.is_linear else "module", n=facts.training_rows),
                " " * (facts.language == "en"),
                words("units", targets=words.names(facts.targets)),
            ),
            markup.paragraph(words("typical"), class_="note"),
            element("h3", words("worries")),
            markup.items(worries, "worries") if worries else markup.paragraph(words("no_worries")),
        ]
    )


def grade(r2: float | None) -> str:
    """Return the key of the word for an R²."""
    if r2 is None:
        return "unknown"
    return next((key for least, key in GRADES if r2 >= least and r2 > 0), "none")


def _verdict(facts: Facts, words: Words) -> Html:
    known = {
        "grade": words("untested" if facts.evidence == "train" else grade(facts.r2)),
        "rmse": number(facts.rmse, 3),
        "rows": words(f"of_{facts.evidence}"),
    }
    if facts.rmse_of_mean is None:
        return words("verdict_alone", **known)
    return words("verdict", mean=number(facts.rmse_of_mean, 3), **known)


def _r2(facts: Facts, words: Words) -> Iterator[Html]:
    if facts.r2 is not None:
        key = "share" if facts.r2 >= 0 else "worse"
        yield words(key, share=percent(facts.r2), r2=number(facts.r2, 3))
    if facts.evidence == "train":
        yield Html(" ")
        yield words("flattered")


def _bars(facts: Facts, words: Words) -> Html:
    """Return two bars: the error of the model beside that of the mean."""
    mean = facts.rmse_of_mean
    largest = max(facts.rmse, mean or 0)
    if mean is None or not largest or not math.isfinite(largest):
        return Html()
    rows = (("model_bar", facts.rmse, "model"), ("mean_bar", mean, "mean"))
    bars = [
        element(
            "div",
            element("span", words(label), class_="label"),
            element(
                "span",
                element("span", class_=f"bar {kind}", style=f"width:{100 * error / largest:.1f}%"),
                class_="track",
            ),
            element("span", number(error, 3), class_="value"),
            class_="row",
        )
        for label, error, kind in rows
    ]
    return element("div", *bars, class_="bars", role="img", aria_label=words.plain("bars"))


def _worries(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what may be wrong with the model, the worst first."""
    if facts.r2 is not None and facts.r2 < 0:
        yield words("w_worse")
    for target, note in facts.exact_notes.items():
        name = markup.name(target)
        if " is " in note.removeprefix(target)[:4]:
            yield words("w_constant", target=name)
        else:
            formula = note.partition(" in every row")[0]
            yield words("w_formula", target=name, formula=markup.code(formula))
    if facts.evidence == "train":
        yield words("w_train")
    if facts.evidence == "folds":
        yield words("w_folds")
        if "cv" in (facts.params.get("train.l1"), facts.params.get("train.l2")):
            yield words("w_chosen")
    if facts.is_learnt_by_heart:
        own = float(facts.metrics["train"]["rmse"])
        yield words("w_heart", own=number(own, 3), other=number(facts.rmse, 3))
    if facts.few_rows:
        yield words("w_few", rows=facts.training_rows, numbers=len(facts.plan.encoded_names) + 1)
    if facts.condition_is_high:
        yield words("w_condition")
    if worrying := len(diagnostic_words.worrying(facts.metrics.get("diagnostics", {}))):
        yield words("w_tests", n=worrying)
    inside, of = facts.test_in_range
    if of and of - inside > MUCH_DROPPED * of:
        yield words("w_outside", out=of - inside, of=of)
    left_out = sum(facts.plan.rows.dropped.values()) + facts.plan.rows.gap
    if left_out > MUCH_DROPPED * facts.plan.rows.source:
        yield words("w_dropped", share=percent(left_out / facts.plan.rows.source))

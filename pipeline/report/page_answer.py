"""The report's answer in brief: how good the model is, in words, and what worries its makers."""

from collections.abc import Iterator

from pipeline.report import (
    diagnostic_words,
    judgement,
    loss_words,
    markup,
    page_verdict,
    target_words,
)
from pipeline.report.facts import Facts
from pipeline.report.markup import Html, element
from pipeline.report.words import Sentences, Words, number, percent

SENTENCES: Sentences = {
    "en": {
        "linear": "A **linear model** learnt it from {n} row: each column adds its share to the"
        " answer. | A **linear model** learnt it from {n} rows: each column adds its share to the"
        " answer.",
        "linear_log": "A **linear model** learnt it from {n} row: each column changes the answer by"
        " its share, in per cent. | A **linear model** learnt it from {n} rows: each column changes"
        " the answer by its share, in per cent.",
        "answers": "**{what}.**",
        "module": "A **model that is not a line** learnt it from {n} row. | A **model that is not a"
        " line** learnt it from {n} rows.",
        "units": "Every figure of {targets} here is in the unit that the table has it in.",
        "worries": "What worries its makers",
        "no_worries": "None of the usual reasons for worry was found: rows held out, enough rows,"
        " columns that tell different things, no target that is a formula of the features.",
        "w_train": "**No row was held out**, so the error on new rows is not known.",
        "w_folds": "The folds measure the same procedure, not this very model, and no row was held"
        " out for a last word.",
        "w_chosen": "The folds that judge it have also chosen its penalty, which flatters it a"
        " little.",
        "w_worse": "**Always answering {same} would be better.** The model should not be used.",
        "the_mean": "the mean",
        "the_median": "the median",
        "w_worse_quantile": "**One answer for all rows would be better.** The model should not be"
        " used.",
        "w_share": "**{below} % of the values lie at or below their answer, where {share} % should:"
        "** more than chance explains.",
        "w_formula": "**{target} is a formula of the features: {formula}.** A model is then not"
        " needed, or the features are known only once {target} is.",
        "w_constant": "**{target} has one value in every row**, so there was nothing to learn.",
        "w_heart": "It is much better on the rows that it has learnt from (error {own}) than on"
        " others ({other}): part of it was learnt by heart.",
        "w_heart_fitted": "By what the training made small, it is much better on the rows that it"
        " has learnt from ({own}) than on others ({other}): part of it was learnt by heart.",
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
        "linear_log": "答案由一个**线性模型**给出，它从 {n} 行数据中学得："
        "每一列各自以百分比改变结果。",
        "answers": "**{what}。**",
        "module": "答案由一个**非线性模型**给出，它从 {n} 行数据中学得。",
        "units": "文中 {targets} 的数值均采用数据表中的单位。",
        "worries": "制作者的顾虑",
        "no_worries": "常见的隐患均未发现：有留出的检验数据，行数充足，各列所含信息不重复，"
        "目标也不是特征的现成公式。",
        "w_train": "**没有留出检验数据**，因此在新数据上的误差未知。",
        "w_folds": "交叉验证衡量的是同一建模方法，而不是这个模型本身；也没有留出数据作最后检验。",
        "w_chosen": "用来评价模型的折同时也用来选择惩罚强度，评价因而略偏乐观。",
        "w_worse": "**一律以{same}作答反而更好**，此模型不应使用。",
        "the_mean": "均值",
        "the_median": "中位数",
        "w_worse_quantile": "**对所有行给出同一个回答反而更好**，此模型不应使用。",
        "w_share": "**有 {below} % 的数值不高于其回答，而要求为 {share} %**：相差超出偶然的范围。",
        "w_formula": "**{target} 就是特征的一个公式：{formula}。**此时要么不需要模型，"
        "要么这些特征只有在 {target} 已知之后才能得到。",
        "w_constant": "**{target} 在每一行都是同一个值**，没有可学习的内容。",
        "w_heart": "训练数据上的误差（{own}）远小于其他数据上的误差（{other}）：模型存在过拟合。",
        "w_heart_fitted": "就训练所减小的指标而言，训练数据上的值（{own}）"
        "远小于其他数据上的值（{other}）：模型存在过拟合。",
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


def section(facts: Facts) -> Html:
    """Return what the model is, the verdict and the worries."""
    words = Words(facts.language, SENTENCES)
    worries = [*_worries(facts, words)]
    between = " " * (facts.language == "en")
    return markup.join(
        [
            page_verdict.card(facts),
            markup.paragraph(markup.join(_kind(facts, words), between)),
            markup.paragraph(page_verdict.note(facts), class_="note"),
            element("h3", words("worries")),
            markup.items(worries, "worries") if worries else markup.paragraph(words("no_worries")),
        ]
    )


def _kind(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what the model is, and what its answers are."""
    kind = "module" if not facts.is_linear else "linear_log" if facts.logs else "linear"
    yield words(kind, n=facts.training_rows)
    language = facts.language
    answers = loss_words.what_it_answers(facts.loss, language)
    if answers is not None:
        yield words("answers", what=answers)
    is_median = facts.loss.share is None
    for sentence in target_words.sentences(facts.logs, (), markup.name, language, is_median):
        yield Html(sentence)
    yield words("units", targets=words.names(facts.targets))


def _worries(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what may be wrong with the model, the worst first."""
    judged = judgement.judged(facts)
    if judged.r2 is not None and judged.r2 < 0:
        yield words(
            "w_worse_quantile" if judged.measure == "quantile" else "w_worse",
            same=words("the_median" if judged.measure == "mae" else "the_mean"),
        )
    if facts.loss.share is not None and not judgement.is_as_asked(facts):
        below = 100 * float(facts.metrics[facts.evidence]["below"])
        shares = {"below": number(below, 3), "share": number(100 * facts.loss.share, 3)}
        yield words("w_share", **shares)
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
        own, other = facts.errors_beside
        key = "w_heart_fitted" if facts.logs or not facts.loss.is_squared else "w_heart"
        yield words(key, own=number(own, 3), other=number(other, 3))
    if facts.few_rows:
        yield words("w_few", rows=facts.training_rows, numbers=len(facts.plan.encoded_names) + 1)
    if facts.condition_is_high:
        yield words("w_condition")
    # The section that this points to is of lines alone.
    is_diagnosed = facts.is_linear and facts.loss.is_squared
    diagnostics = facts.metrics.get("diagnostics", {}) if is_diagnosed else {}
    if worrying := len(diagnostic_words.worrying(diagnostics)):
        yield words("w_tests", n=worrying)
    inside, of = facts.test_in_range
    if of and of - inside > MUCH_DROPPED * of:
        yield words("w_outside", out=of - inside, of=of)
    left_out = sum(facts.plan.rows.dropped.values()) + facts.plan.rows.gap
    if left_out > MUCH_DROPPED * facts.plan.rows.source:
        yield words("w_dropped", share=percent(left_out / facts.plan.rows.source))

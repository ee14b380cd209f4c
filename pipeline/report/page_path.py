"""The report's section on the penalty: what it does, how it was chosen, and what it costs."""

from collections.abc import Iterator

from pipeline.report import markup, penalty
from pipeline.report.facts import Facts
from pipeline.report.markup import Html
from pipeline.report.words import Sentences, Words, number

SENTENCES: Sentences = {
    "en": {
        "intro": "With many columns beside few rows a model follows chance. A penalty makes its"
        " effects smaller on purpose, for smaller errors on new rows.",
        "ridge": "**{target}**: ridge, l2 {l2}. All effects are smaller, none is left out.",
        "lasso": "**{target}**: lasso, l1 {l1}. Some effects become 0.",
        "elastic": "**{target}**: elastic net, l1 {l1} and l2 {l2}.",
        "nothing": "**{target}**: no penalty.",
        "set": "The penalty was set in the parameters.",
        "chosen": "The folds chose it: for each strength every fold was predicted by a fit to the"
        " others.",
        "best": "The strength with the smallest error was taken.",
        "one_standard_error": "The strongest penalty was taken whose error is within one standard"
        " error of the smallest: a simpler model, about as good.",
        "error": "For {target} the typical error on rows left out is {chosen} with it; the smallest"
        " of all {n} that were tried is {smallest}, with the weakest penalty it is {weakest}.",
        "costs": "On the rows that train, the typical error would be {rmse} without a penalty; with"
        " it, it is {own}.",
        "picture": "Above: the error of the folds by the strength of the penalty, which grows to "
        "the"
        " right. Below: the effects, which shrink.",
        "alt": "Error of the folds and effects by the strength of the penalty",
    },
    "zh": {
        "intro": "列多而行少时，模型会追随偶然的波动。惩罚有意将各影响缩小，"
        "以换取在新数据上更小的误差。",
        "ridge": "**{target}**：岭回归，l2 = {l2}。所有影响都变小，但不舍弃任何一列。",
        "lasso": "**{target}**：套索（lasso），l1 = {l1}。部分影响变为 0。",
        "elastic": "**{target}**：弹性网络，l1 = {l1}，l2 = {l2}。",
        "nothing": "**{target}**：无惩罚。",
        "set": "惩罚强度由参数给定。",
        "chosen": "惩罚强度由交叉验证选定：对每一强度，各折均由其余各折的拟合来预测。",
        "best": "取误差最小的强度。",
        "one_standard_error": "取误差与最小值相差不超过一个标准误的最强惩罚：模型更简单，"
        "效果相当。",
        "error": "对 {target}，采用此强度时留出行上的典型误差为 {chosen}；"
        "所试 {n} 个强度中最小者为 {smallest}，"
        "惩罚最弱时为 {weakest}。",
        "costs": "在训练数据上，无惩罚时典型误差为 {rmse}，有惩罚时为 {own}。",
        "picture": "上：各折的误差随惩罚强度的变化（横轴向右惩罚增强）。下："
        "各影响随之收缩（纵轴为变化一个标准差时目标的变化）。",
        "alt": "各折误差与影响随惩罚强度的变化",
    },
}


def section(facts: Facts) -> Html:
    """Return what the penalty is and does; nothing for a model without one."""
    if not facts.is_penalized:
        return Html()
    words = Words(facts.language, SENTENCES)
    parts = [
        markup.paragraph(words("intro")),
        markup.items(_penalties(facts, words)),
        markup.paragraph(markup.join(_choice(facts, words), " " * (facts.language == "en"))),
    ]
    if "path" in facts.plots:
        picture = markup.picture(facts.plots["path"], words.plain("alt"), words("picture"))
        parts.append(picture)
    return markup.join(parts)


def _penalties(facts: Facts, words: Words) -> Iterator[Html]:
    values = facts.metrics["penalty"]
    for target, l1 in values["l1"].items():
        l2 = values["l2"][target]
        key = "elastic" if l1 and l2 else "lasso" if l1 else "ridge" if l2 else "nothing"
        shown = {"l1": number(l1, 3), "l2": number(l2, 3)}
        yield words(key, target=markup.name(target), **shown)


def _choice(facts: Facts, words: Words) -> Iterator[Html]:
    if penalty.is_chosen_by_folds(facts.params):
        yield words("chosen")
        yield words(str(facts.params["train.choose"]))
        yield from _errors(facts, words)
    else:
        yield words("set")
    own, best = facts.metrics["train"]["rmse"], facts.metrics["reference"]["rmse"]
    yield words("costs", rmse=number(best), own=number(own))


def _errors(facts: Facts, words: Words) -> Iterator[Html]:
    """Yield what the folds say of the penalty that was chosen, of the best and of the weakest."""
    for target in facts.targets:
        rows = [row for row in facts.path if row["target"] == target]
        chosen = next((row for row in rows if row["chosen"] == "1"), None)
        if chosen is None:
            continue
        errors = [float(row["mse"]) for row in rows]
        weakest = min(rows, key=lambda row: (float(row["l1"]), float(row["l2"])))
        yield words(
            "error",
            target=markup.name(target),
            n=len(rows),
            **{
                key: number(float(mse) ** 0.5, 4)
                for key, mse in (
                    ("chosen", chosen["mse"]),
                    ("smallest", min(errors)),
                    ("weakest", weakest["mse"]),
                )
            },
        )

"""What a reader must know of a target of which the logarithm is fitted, in words."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.exact.elementary import exp
from pipeline.report import markdown
from pipeline.report.card_columns import first_of
from pipeline.settings.keys.sections import Language
from pipeline.settings.keys.target_settings import OWN_UNIT

Quoted = Callable[[str], str]

MOST_NAMES_SHOWN = 8
FIGURES = ("rmse", "mae", "r2")

SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "fitted": "Fitted is {fitted}, the natural logarithm; each answer is in the unit of"
        " {targets} itself.",
        "median": "An answer for {targets} is a median, not a mean: of rows like the one that is"
        " asked about, half lie above it and half below. Their mean is larger, so a total that is"
        " added up from answers is too small.",
        "reading": "A coefficient b of {fitted} says per cent: one more of its term changes"
        " {targets} by 100·(exp(b) − 1) %, whatever its size.",
        "example": " Of {term} this is {change} %.",
        "short_median": "answers for {targets} are medians, not means",
        "short_reading": "a coefficient b of {fitted} changes {targets} by 100·(exp(b) − 1) %",
    },
    "zh": {
        "fitted": "拟合的是自然对数 {fitted}；每个回答都以 {targets} 本身的单位给出。",
        "median": "对 {targets} 的回答是中位数，而不是平均数：在与所问情形相似的各行中，"
        "一半高于它，一半低于它。它们的平均数更大，因此把各个回答相加得到的总额会偏小。",
        "reading": "{fitted} 的系数 b 表示百分比：该项每增加一个单位，无论 {targets} 大小如何，"
        "都会变化 100·(exp(b) − 1) %。",
        "example": "例如 {term} 为 {change} %。",
        "short_median": "对 {targets} 的回答是中位数而不是平均数",
        "short_reading": "{fitted} 的系数 b 使 {targets} 变化 100·(exp(b) − 1) %",
    },
}
"""Of targets that are fitted as logarithms."""


def fitted(logs: Sequence[str], quoted: Quoted = str) -> str:
    """Return what is fitted: `log(price)`, or of several targets a list."""
    return first_of([f"log({quoted(name)})" for name in logs], MOST_NAMES_SHOWN)


def scale(targets: Sequence[str], logs: Collection[str], quoted: Quoted = str) -> str:
    """Return what a figure on the fitted scale is of: `log(price)`, `log(price), rent together`."""
    names = [f"log({quoted(name)})" if name in logs else quoted(name) for name in targets]
    return first_of(names, MOST_NAMES_SHOWN) + " together" * (len(names) > 1)


def sentences(
    logs: Sequence[str],
    coefficients: Sequence[Mapping[str, str]] = (),
    quoted: Quoted = str,
    language: Language = "en",
    answers_are_medians: bool = True,
    alone: Collection[str] | None = None,
) -> Iterator[str]:
    """Yield what is fitted, that answers are medians, and how a coefficient reads; nothing if none.

    logs: the targets of which the logarithm is fitted. coefficients: rows of coefficients.csv; none
    if the model is not linear. answers_are_medians: False if the loss asks for another quantile.
    alone: the terms of which one can change while all others stay, for the example; None: any.
    """
    if not logs:
        return
    names = {
        "fitted": fitted(logs, quoted),
        "targets": first_of([quoted(name) for name in logs], MOST_NAMES_SHOWN),
    }
    words = SENTENCES[language]
    yield words["fitted"].format(**names)
    if answers_are_medians:
        yield words["median"].format(**names)
    if coefficients:
        of_one = [row for row in coefficients if alone is None or row["term"] in alone]
        yield words["reading"].format(**names) + _example(logs, of_one, quoted, language)


def answer(targets: Sequence[str], logs: Collection[str], otherwise: str) -> str:
    """Return what an output answers: a median if the logarithms of its targets are fitted.

    otherwise: the words for other targets, and for losses that say themselves what they answer.
    """
    if not {*targets} <= {*logs} or not otherwise.startswith("the prediction of"):
        return otherwise
    return f"the median of {otherwise.removeprefix('the prediction of ')} that is to be expected"


def in_short(
    logs: Sequence[str],
    language: Language = "en",
    *,
    is_linear: bool = True,
    answers_are_medians: bool = True,
) -> str:
    """Return the two most important of these sentences as one; "" if neither is true of the model.

    is_linear: False if it has no coefficients. answers_are_medians: as in `sentences`.
    """
    if not logs:
        return ""
    names = {"fitted": fitted(logs), "targets": first_of([*logs], MOST_NAMES_SHOWN)}
    true = {"short_median": answers_are_medians, "short_reading": is_linear}
    told = [SENTENCES[language][key].format(**names) for key, is_true in true.items() if is_true]
    return ("; " if language == "en" else "；").join(told)


def _example(
    logs: Sequence[str],
    coefficients: Sequence[Mapping[str, str]],
    quoted: Quoted,
    language: Language,
) -> str:
    """Return the change in per cent by the first coefficient of a target."""
    for row in coefficients:
        if row["target"] in logs and row["term"] != "bias":
            change = percent(float(row["value"]))
            text = SENTENCES[language]["example"]
            return text.format(term=quoted(row["term"]), change=f"{change:+.4g}")
    return ""


def percent(coefficient: float) -> float:
    """Return by how many per cent one more of a term changes a target of which the log is fitted.

    Of a small coefficient exp(b) − 1 would lose its digits: it is b + b²/2 + b³/6 there.
    """
    if abs(coefficient) < 1e-4:
        small = coefficient * (1 + coefficient * (0.5 + coefficient / 6))
    else:
        small = float(exp(np.array([coefficient]))[0]) - 1
    return 100 * small


def figures_in_own_unit(metrics: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return rmse, mae and r2 in the own unit, of a part of metrics.json; {} if there are none."""
    return {name: metrics[OWN_UNIT + name] for name in FIGURES if OWN_UNIT + name in metrics}


def metric_rows(
    metrics: Mapping[str, Any],
    sides: Mapping[str, str],
    targets: Sequence[str],
    logs: Collection[str],
) -> Iterator[tuple[str, ...]]:
    """Yield the rows of the card's table of metrics: a name, then the FIGURES.

    metrics: the content of metrics.json. sides: its parts, by what the card calls them. logs: the
    targets of which the logarithm is fitted.
    """
    on_scale = f", {scale(targets, logs, markdown.text)}" if logs else ""
    unit = "in its own unit" if len(targets) == 1 else "in their own units, together"
    for name, part in sides.items():
        yield (f"{name}{on_scale}", *(_number(metrics[part][each]) for each in FIGURES))
    for name, part in sides.items():
        if own := figures_in_own_unit(metrics[part]):
            yield (f"{name}, {unit}", *(_number(own[each]) for each in FIGURES))


def _number(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.6g}"

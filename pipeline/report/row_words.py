"""Held-out rows and folds in words: by the seed, in whole groups, or in time.

A value is what the flat parameters have for data.test_fraction or data.folds: a number, or a
mapping of it, `by` and `gap`. quoted: returns the name of a column as the text is to show it.
language: of the words; only report.html has them in another one than English.
"""

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.settings.keys.sections import Language
from pipeline.settings.keys.weight_settings import Weights

Quoted = Callable[[str], str]

SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "folds": "{number} folds of the training rows",
        "folds_of_groups": "{number} folds of whole groups of {column}",
        "folds_in_time": "{number} folds in time by {column}",
        "fits": "each predicted by a fit to the others",
        "fits_in_time": "each predicted by a fit to earlier rows{gap}",
        "groups": "whole groups of {column}",
        "latest": "the latest rows by {column}{gap}",
        "dependence": "Held out are {groups}: rows of a group depend on each other, so the interval"
        " of the held-out rows may be too narrow.",
        "gap": ", with a gap of {days} day{s}",
        "frequency": "weighted by {column}: each stands for so many equal rows",
        "precision": "weighted by {column}: the variance of a row's error is that of others over"
        " its weight",
    },
    "zh": {
        "folds": "训练数据的 {number} 折",
        "folds_of_groups": "以 {column} 的整组划分的 {number} 折",
        "folds_in_time": "按 {column} 的时间先后划分的 {number} 折",
        "fits": "每一折由其余各折拟合的模型来预测",
        "fits_in_time": "每一折由更早的行拟合的模型来预测{gap}",
        "groups": "{column} 的若干整组",
        "latest": "按 {column} 最晚的行{gap}",
        "dependence": "留出的是{groups}：同组的行彼此相关，留出行的区间因此可能偏窄。",
        "gap": "，中间空出 {days} 天",
        "frequency": "按 {column} 加权：每一行代表相应数目的相同行",
        "precision": "按 {column} 加权：一行误差的方差等于其余行的方差除以它的权重",
    },
}


def folds(value: Any, quoted: Quoted = str, language: Language = "en") -> str:
    """Return how many folds there are, and of what: `5 folds of the training rows`."""
    number, by, gap = _settings(value, "number")
    if by is None:
        return SENTENCES[language]["folds"].format(number=number)
    key = "folds_of_groups" if gap is None else "folds_in_time"
    return SENTENCES[language][key].format(number=number, column=quoted(by))


def fits(value: Any, language: Language = "en") -> str:
    """Return which rows train for a fold of data.folds."""
    _, _, gap = _settings(value, "number")
    if gap is None:
        return SENTENCES[language]["fits"]
    return SENTENCES[language]["fits_in_time"].format(gap=_with_gap(gap, language))


def held_out(value: Any, quoted: Quoted = str, language: Language = "en") -> str | None:
    """Return which rows are held out by a column; None if the seed chooses them row by row."""
    _, by, gap = _settings(value, "share")
    if by is None:
        return None
    if gap is None:
        return SENTENCES[language]["groups"].format(column=quoted(by))
    between = _with_gap(gap, language)
    return SENTENCES[language]["latest"].format(column=quoted(by), gap=between)


def dependence(value: Any, quoted: Quoted = str, language: Language = "en") -> str | None:
    """Return a sentence on the interval of rows that are held out in groups, or None."""
    _, by, gap = _settings(value, "share")
    if by is None or gap is not None:
        return None
    groups = held_out(value, quoted, language)
    return SENTENCES[language]["dependence"].format(groups=groups)


def weights(settings: Weights, quoted: Quoted = str, language: Language = "en") -> str:
    """Return how rows are weighted: `weighted by w: …`."""
    key = "frequency" if settings.are_frequencies else "precision"
    return SENTENCES[language][key].format(column=quoted(settings.by))


def _with_gap(days: int, language: Language) -> str:
    return SENTENCES[language]["gap"].format(days=days, s="s" * (days != 1)) if days else ""


def _settings(value: Any, short: str) -> tuple[Any, str | None, int | None]:
    """Return the number, the column and the gap. short: the key of the number."""
    if isinstance(value, Mapping):
        return value.get(short), value.get("by"), value.get("gap")
    return value, None, None

"""The interval of a model in words: how it was made, and when it holds.

`metrics` is the content of metrics.json, `params` the dotted keys of params.yaml with their values.
"""

import math
from collections.abc import Collection, Mapping
from typing import Any

from pipeline.exact import conformal
from pipeline.report import row_words
from pipeline.report.markdown import code
from pipeline.report.row_words import Quoted
from pipeline.settings.keys.sections import Language

MOST_TARGETS_SHOWN = 3

SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "exact": "The interval holds if the rows scatter around the line independently, evenly and"
        " about normally. `reports/plots/residuals.svg` and `quantiles.svg`, drawn for ten rows or"
        " more, show whether they do.",
        "calibrated": "The interval is split-conformal, calibrated on {rows} held-out rows: 95 % of"
        " new rows that are drawn like these lie in it, whatever the model and however the errors"
        " are distributed.",
        "symmetric": "The same to either side, it holds for all rows together, not for each kind of"
        " row, and rows that come later may be unlike.",
        "as_wide": "As wide everywhere, it holds for all rows together, not for each kind of row,"
        " and rows that come later may be unlike.",
        "too_few": "Fewer than {fewest} rows are in one half of them, too few to calibrate on one"
        " half and count in the other.",
        "covered": "Calibrated on one half of them and counted in the other, both ways, it holds"
        " {share} %.",
    },
    "zh": {
        "exact": "区间成立的前提是各行独立、等方差且大致正态地散布在回归线两侧。"
        "是否如此可由 `reports/plots/residuals.svg` 与 `quantiles.svg` 看出（至少十行时才绘制）。",
        "calibrated": "区间由分裂共形预测得到，用 {rows} 行留出数据校准：无论模型如何、"
        "误差如何分布，与这些行同样抽得的新数据有 95 % 落在其中。",
        "symmetric": "它向两侧等宽，对全部行总体成立，而不是对每一类行都成立；"
        "以后的数据可能有所不同。",
        "as_wide": "它处处同宽，对全部行总体成立，而不是对每一类行都成立；以后的数据可能有所不同。",
        "too_few": "其中一半不足 {fewest} 行，不够用一半校准、再在另一半上计数。",
        "covered": "用其中一半校准、在另一半上计数（两个方向都做），覆盖率为 {share} %。",
    },
}


def for_readers(
    metrics: Mapping[str, Any],
    params: Mapping[str, Any],
    quoted: Quoted = code,
    language: Language = "en",
) -> str:
    """Return what readers of the card, or of the report, must know of low and high."""
    words = SENTENCES[language]
    if (interval := metrics.get("interval")) is None:
        return words["exact"]
    rows = interval["rows"]
    shape = "symmetric" if conformal.is_symmetric(rows) else "as_wide"
    dependent = row_words.dependence(params["data.test_fraction"], quoted, language)
    told = [
        words["calibrated"].format(rows=f"{rows:,}"),
        words[shape],
        _covered(interval, language),
        *([] if dependent is None else [dependent]),
    ]
    return (" " if language == "en" else "").join(told)


def in_short(metrics: Mapping[str, Any], logs: Collection[str] = ()) -> str | None:
    """Return the summary's words on a calibrated interval; None without one.

    logs: targets that are fitted as logarithms: what is added to a logarithm is a factor.
    """
    if (interval := metrics.get("interval")) is None:
        return None
    ends = [
        _both_ends(low, interval["high"][target], is_log=target in logs)
        for target, low in [*interval["low"].items()][:MOST_TARGETS_SHOWN]
    ]
    more = ", …" * (len(interval["low"]) > MOST_TARGETS_SHOWN)
    covered = interval["coverage"]
    share = "" if covered is None else f"; {100 * covered:.1f} % of them in it, half by half"
    return (
        f"95 %: the answer {', '.join(ends)}{more}, calibrated on {interval['rows']:,} held-out"
        f" rows{share}"
    )


def _both_ends(low: float, high: float, *, is_log: bool) -> str:
    if is_log:
        return f"× {math.exp(low):.4g} to × {math.exp(high):.4g}"
    return f"{low:+.4g} to {high:+.4g}"


def _covered(interval: Mapping[str, Any], language: Language) -> str:
    words = SENTENCES[language]
    if interval["coverage"] is None:
        return words["too_few"].format(fewest=conformal.FEWEST_ROWS)
    return words["covered"].format(share=f"{100 * interval['coverage']:.1f}")

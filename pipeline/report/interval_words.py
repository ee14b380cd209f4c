"""The interval of a model in words: how it was made, and when it holds.

`metrics` is the content of metrics.json, `params` the dotted keys of params.yaml with their values.
"""

from collections.abc import Mapping
from typing import Any

from pipeline.exact import conformal
from pipeline.report import row_words
from pipeline.report.markdown import code

MOST_TARGETS_SHOWN = 3


def for_readers(metrics: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Return what readers of the card must know of low and high."""
    if (interval := metrics.get("interval")) is None:
        return (
            "The interval holds if the rows scatter around the line independently, evenly and"
            " about normally. `reports/plots/residuals.svg` and `quantiles.svg`, drawn for ten rows"
            " or more, show whether they do."
        )
    rows = interval["rows"]
    shape = "The same to either side" if conformal.is_symmetric(rows) else "As wide everywhere"
    text = (
        f"The interval is split-conformal, calibrated on {rows:,} held-out rows: 95 % of new rows"
        " that are drawn like these lie in it, whatever the model and however the errors are"
        f" distributed. {shape}, it holds for all rows together, not for each kind of row, and"
        f" rows that come later may be unlike. {_covered(interval)}"
    )
    if (dependent := row_words.dependence(params["data.test_fraction"], code)) is not None:
        text += f" {dependent}"
    return text


def in_short(metrics: Mapping[str, Any]) -> str | None:
    """Return the summary's words on a calibrated interval; None without one."""
    if (interval := metrics.get("interval")) is None:
        return None
    ends = [
        f"{low:+.4g} to {interval['high'][target]:+.4g}"
        for target, low in [*interval["low"].items()][:MOST_TARGETS_SHOWN]
    ]
    more = ", …" * (len(interval["low"]) > MOST_TARGETS_SHOWN)
    covered = interval["coverage"]
    share = "" if covered is None else f"; {100 * covered:.1f} % of them in it, half by half"
    return (
        f"95 %: the answer {', '.join(ends)}{more}, calibrated on {interval['rows']:,} held-out"
        f" rows{share}"
    )


def _covered(interval: Mapping[str, Any]) -> str:
    if interval["coverage"] is None:
        return (
            f"Fewer than {conformal.FEWEST_ROWS} rows are in one half of them, too few to calibrate"
            " on one half and count in the other."
        )
    return (
        f"Calibrated on one half of them and counted in the other, both ways, it holds"
        f" {100 * interval['coverage']:.1f} %."
    )

"""Numbers on the plots, as people write them: 1,200,000, 0.05, 3×10⁻⁷; days as dates."""

import datetime
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from pipeline.pictures.lettering import SMALL, width

SMALLEST_PLAIN, LARGEST_PLAIN = 1e-4, 1e9
"""Numbers between these are written with all their digits."""

EPOCH = datetime.date(1970, 1, 1)
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
STEPS = (1, 2, 2.5, 5, 10)
MOST_TICKS = 7
GAP = 10.0
"""Points between two numbers of an axis, at least."""


def number(value: float, digits: int = 4) -> str:
    """Return a number with some significant digits; of a large one the digits before the point."""
    if not value or not math.isfinite(value):
        return "0" if not value else str(value)
    rounded = float(f"{value:.{digits - 1}e}")
    if SMALLEST_PLAIN <= abs(rounded) < LARGEST_PLAIN:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(rounded)) + 1e-9))
        if not decimals:
            return _minus(f"{value:,.0f}")
        return _minus(f"{value:,.{decimals}f}".rstrip("0").rstrip("."))
    return _power(rounded, digits - 1)


def _power(value: float, decimals: int) -> str:
    mantissa, _, exponent = f"{value:.{decimals}e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    raised = f"10{str(int(exponent)).translate(RAISED)}"
    if mantissa in ("1", "-1"):
        return _minus(mantissa[:-1] + raised)
    return _minus(f"{mantissa}×{raised}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def even(values: Sequence[float]) -> list[str]:
    """Return evenly spaced numbers, with as many decimals as tell them apart: 0.5, 1.0, 1.5."""
    if len(values) < 2:
        return [number(value) for value in values]
    step = min(abs(b - a) for a, b in pairwise(values))
    largest = max(map(abs, values))
    # Steps are 1, 2, 2.5 or 5 times a power of ten.
    power = _exponent(step)
    decimals = -power + (round(step / 10.0**power, 6) == 2.5)
    if largest < LARGEST_PLAIN and decimals <= 5:
        texts = [f"{value:,.{max(0, decimals)}f}" for value in values]
        return [
            _minus(each if float(each.replace(",", "")) else each.lstrip("-")) for each in texts
        ]
    return [
        "0"
        if abs(value) < step / 2
        else _power(value, max(0, min(15, _exponent(value) - power + 1)))
        for value in values
    ]


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)) + 1e-9)


class _Ticks(MaxNLocator):
    """Places of numbers, as many as there is room for."""

    def tick_values(self, vmin: float, vmax: float) -> Any:
        ticks: Any = ()
        axis = self.axis
        assert isinstance(axis, Axis)
        is_horizontal = axis is axis.axes.xaxis
        room = axis.axes.bbox.width / axis.axes.figure.dpi * 72
        for most in range(MOST_TICKS, 0, -1):
            self.set_params(nbins=most)
            ticks = super().tick_values(vmin, vmax)
            if not is_horizontal or len(ticks) < 3:
                break
            needed = max(width(text, SMALL) for text in even([float(tick) for tick in ticks])) + GAP
            if needed * (vmax - vmin) <= room * (ticks[1] - ticks[0]):
                break
        return ticks


class _Even(FuncFormatter):
    """Texts of the numbers of an axis."""

    def __init__(self) -> None:
        super().__init__(lambda value, _: number(value))

    def format_ticks(self, values: Any) -> list[str]:
        return even([float(value) for value in values])


def plain(axis: Axis, *, integer: bool = False) -> None:
    """Number a linear axis. integer: at whole numbers alone."""
    axis.set_major_locator(_Ticks(MOST_TICKS, steps=[*STEPS], integer=integer, min_n_ticks=1))
    axis.set_major_formatter(_Even())


def logarithmic(axis: Axis, subs: Sequence[float] = (1,)) -> None:
    """Number a logarithmic axis with 0.01, not with a formula, which is not drawn as one."""
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def dates(axis: Axis) -> None:
    """Number an axis of days since 1970-01-01 with dates."""
    axis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5))  # type: ignore[no-untyped-call]
    axis.set_major_formatter(FuncFormatter(lambda value, _: date(value)))


def date(days: float) -> str:
    """Return the date so many days after 1970-01-01; the number where there is no such year."""
    try:
        return (EPOCH + datetime.timedelta(days=math.floor(days))).isoformat()
    except OverflowError:
        return number(days)

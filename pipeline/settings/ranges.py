"""Ranges of values on a command line: `train.lr=log:1e-4..1e-1:64`, `train.momentum=0,0.9`.

KEY=log:LOW..HIGH:COUNT   COUNT numbers from LOW to HIGH, by a constant factor
KEY=lin:LOW..HIGH:COUNT   COUNT numbers from LOW to HIGH, by a constant step
KEY=A,B,C                 a list of values, each as params.yaml writes it; may be [32,32],[64]
"""

import re
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.settings import messages, yaml_file
from pipeline.settings.errors import UserError

DIGITS = 6
"""Significant digits of a number of a range: with a few, params.yaml stays readable."""
LARGEST_COUNT = 1_000_000
"""Numbers of one range."""

_SPAN = re.compile(r"(?P<scale>log|lin):(?P<low>.*?)\.\.(?P<high>.*?)(?::(?P<count>[^:]*))?")
_FORM = "must be log:LOW..HIGH:COUNT, lin:LOW..HIGH:COUNT or a list such as 0,0.9"


@dataclass(frozen=True)
class Span:
    """The numbers between two ends, on a linear or a logarithmic scale; count: None without one."""

    is_log: bool
    low: Decimal
    high: Decimal
    count: int | None

    def at(self, share: Decimal) -> float:
        """Return the number at a share of the way from the low end (0) to the high end (1)."""
        if share in (0, 1):
            return float(self.high if share else self.low)
        # Decimals: `10.0 ** x` differs from processor to processor.
        with localcontext(prec=30):
            if self.is_log:
                low, high = self.low.ln(), self.high.ln()
                number = (low + (high - low) * share).exp()
            else:
                number = self.low + (self.high - self.low) * share
        return float(Context(prec=DIGITS).plus(number))

    def grid(self) -> tuple[float, ...]:
        """Return `count` numbers, the ends included; the low end alone if it is 1."""
        assert self.count is not None
        steps = max(1, self.count - 1)
        return tuple(self.at(Decimal(step) / steps) for step in range(self.count))

    def draw(self, random: np.random.Generator) -> float:
        """Return a number at a random place of the scale."""
        return self.at(Decimal(float(random.random())))


@dataclass(frozen=True)
class Range:
    """The values of one key: a span of numbers, or a list."""

    key: str
    text: str
    values: Span | tuple[Any, ...]

    def __len__(self) -> int:
        """Number of values in a grid."""
        return (self.values.count or 0) if isinstance(self.values, Span) else len(self.values)

    def grid(self, *, whole: bool) -> tuple[Any, ...]:
        """Return the values, each once, in order. whole: round numbers of a span to integers."""
        numbers = self.values.grid() if isinstance(self.values, Span) else self.values
        # Not by a set: 1, 1.0 and true are equal to Python.
        return tuple({repr(each): each for each in map(self._kind(whole), numbers)}.values())

    def draw(self, random: np.random.Generator, *, whole: bool) -> Any:
        """Return a random value."""
        if isinstance(self.values, Span):
            return self._kind(whole)(self.values.draw(random))
        return self.values[int(random.integers(len(self.values)))]

    def ends(self, *, whole: bool) -> tuple[Any, Any]:
        """Return the lowest and the highest number of a span."""
        assert isinstance(self.values, Span)
        low, high = (self.values.at(Decimal(share)) for share in (0, 1))
        return self._kind(whole)(low), self._kind(whole)(high)

    def _kind(self, whole: bool) -> Any:
        return round if whole and isinstance(self.values, Span) else lambda value: value


def read(arguments: list[str], *, are_drawn: bool) -> list[Range]:
    """Return the ranges of arguments such as `train.lr=0.1,0.2`.

    are_drawn: values are drawn from the ranges, so a span needs no count.
    Raises UserError with every argument that is no range, or whose key is there twice.
    """
    ranges: list[Range] = []
    mistakes: list[str] = []
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if not equals or not key:
            mistakes.append(
                f"found {messages.show(argument)}; must be KEY=VALUES, e.g. train.lr=0.1"
            )
        elif any(key == other.key for other in ranges):
            mistakes.append(f"{key}: it is there twice; put its values into one list")
        else:
            values = _span(text, are_drawn) if text.startswith(("log:", "lin:")) else _list(text)
            if isinstance(values, str):
                mistakes.append(f"{key}: found {text}; {values}")
            else:
                ranges.append(Range(key, text, values))
    refuse(mistakes)
    return ranges


def refuse(mistakes: list[str]) -> None:
    """Raise UserError with all mistakes of a command line, if there are any."""
    if mistakes:
        raise UserError(messages.mistakes(mistakes, "the command line", 20))


def _span(text: str, are_drawn: bool) -> Span | str:
    """Return the span that a text means, or the end of a message."""
    match = _SPAN.fullmatch(text)
    if match is None:
        return _FORM
    low, high = (_decimal(match[name]) for name in ("low", "high"))
    if low is None or high is None:
        return f"{_FORM}, with finite numbers for LOW and HIGH"
    is_log = match["scale"] == "log"
    if is_log and low <= 0:
        return "a logarithmic range must begin above 0"
    if high < low:
        return f"the range ends below its beginning; write {match['scale']}:{high}..{low}"
    if match["count"] is None and not are_drawn:
        return f"it has no count; write {text}:10 for 10 values, or draw them by --random 10"
    if match["count"] is None:
        return Span(is_log, low, high, None)
    if not re.fullmatch("[0-9]{1,7}", match["count"]) or not (
        1 <= int(match["count"]) <= LARGEST_COUNT
    ):
        return f"the count must be an integer from 1 to {LARGEST_COUNT:,}"
    return Span(is_log, low, high, int(match["count"]))


def _decimal(text: str) -> Decimal | None:
    """Return a number that is finite in float64 too; None for any other text."""
    if not re.fullmatch(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?", text):
        return None
    number = Decimal(text)
    return number if abs(float(number)) < float("inf") else None


def _list(text: str) -> tuple[Any, ...] | str:
    """Return the values of a list, or the end of a message."""
    values = []
    for part in re.split(r",(?![^\[]*\])", text):  # not at a comma between brackets
        try:
            value = yaml_file.read(part, Path("command line"))[0]
        except UserError:
            return _FORM
        if not part.strip() or isinstance(value, dict):
            return _FORM
        values.append(value)
    return tuple(values)

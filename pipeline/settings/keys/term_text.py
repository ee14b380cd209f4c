"""The text of a term, such as `age:smoker` or `spline(hour, 5)`, and what it may mean."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DatePart,
    DateSettings,
)

Kind = Literal["log", "sqrt", "power", "product", "spline", "without"]

LEVEL_PARTS: tuple[DatePart, ...] = ("month", "weekday")
FUNCTION = re.compile(r"\s*([^\W\d]\w*)\s*\((.*)\)\s*", re.DOTALL)


@dataclass(frozen=True)
class Operand:
    """A feature in a term. part: of a date; None of other columns, and of a date as a whole.

    has_levels: True for a category, and for a month or a weekday.
    """

    column: str
    part: DatePart | None
    has_levels: bool

    @property
    def name(self) -> str:
        """The name as it is written in a term: of a number also the name of the encoded column."""
        return self.column if self.part is None else f"{self.column}[{self.part}]"


@dataclass(frozen=True)
class Term:
    """A term. of: its features; two of a product. number: the power, or the columns of a spline."""

    kind: Kind
    of: tuple[Operand, ...]
    number: int | None = None

    @property
    def name(self) -> str:
        """The term in its one spelling, which is the name of its column, if it has one column."""
        first = self.of[0].name
        if self.kind == "product":
            return f"{first}:{self.of[1].name}"
        if self.kind == "power":
            return f"{first}^{self.number}"
        if self.kind == "spline":
            return f"spline({first}, {self.number})"
        return f"-{first}" if self.kind == "without" else f"{self.kind}({first})"

    @property
    def identity(self) -> object:
        """Equal for terms that give the same columns: a:b and b:a do."""
        return self.kind, frozenset(self.of), self.number


def readings(text: str, columns: Mapping[str, ColumnSettings]) -> Iterator[Term]:
    """Yield every term that a text can be read as."""
    stripped = text.strip()
    if stripped.startswith("-") and (of := operand(stripped[1:], columns, whole=True)):
        yield Term("without", (of,))
    if function := FUNCTION.fullmatch(text):
        name, inner = function[1], function[2]
        if name == "log" and (of := operand(inner, columns)):
            yield Term("log", (of,))
        if name == "sqrt" and (of := operand(inner, columns)):
            yield Term("sqrt", (of,))
        first, comma, number = inner.rpartition(",")
        if name == "spline" and comma and (of := operand(first, columns)):
            yield Term("spline", (of,), _integer(number))
    first, sign, number = stripped.rpartition("^")
    if sign and re.fullmatch(r"\s*[+-]?\d+\s*", number) and (of := operand(first, columns)):
        yield Term("power", (of,), _integer(number))
    for match in re.finditer(":", stripped):
        left = operand(stripped[: match.start()], columns)
        right = operand(stripped[match.end() :], columns)
        if left and right:
            yield Term("product", (left, right))


def operand(
    text: str, columns: Mapping[str, ColumnSettings], whole: bool = False
) -> Operand | None:
    """Return the feature of a name, or the part of a date such as sold[hour]; None if it is none.

    whole: True if a date may stand without a part.
    """
    name = text.strip()
    settings = columns.get(name)
    if settings is not None and (whole or not isinstance(settings, DateSettings)):
        return Operand(name, None, isinstance(settings, CategorySettings))
    column, bracket, part = name.removesuffix("]").rpartition("[")
    of_column = columns.get(column)
    if bracket and name.endswith("]") and isinstance(of_column, DateSettings):
        for each in of_column.parts:
            if each == part:
                return Operand(column, each, each in LEVEL_PARTS)
    return None


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[+-]?\d{1,9}\s*", text) else None

"""The parts of a date in an ONNX graph, by integer arithmetic in the proleptic Gregorian calendar.

ONNX's integer division truncates; every division here is of a number that is not negative, except
in `_floor`. No sum overflows, whatever the date. See Hinnant, "chrono-Compatible Low-Level Date
Algorithms" (2013): years that begin in March, in eras of 400 years.
"""

from pipeline.columns.date import SECONDS_PER_DAY, DateColumn
from pipeline.onnx_model.graph import Graph
from pipeline.settings.keys.column_settings import DatePart

DAYS_PER_ERA = 146_097  # 400 years
DAYS_BEFORE_1970 = 719_468  # since 1 March of the year 0


def parts(graph: Graph, column: DateColumn, moments: str) -> dict[DatePart, str]:
    """Add the parts of dates: int64, in the shape of `moments`, which are in the column's unit."""
    in_seconds = column.unit == "seconds"
    days = _floor(graph, moments, SECONDS_PER_DAY) if in_seconds else moments
    values: dict[DatePart, str] = {"days": days}
    if "weekday" in column.parts:
        since_thursday = _rest(graph, days, _floor(graph, days, 7), 7)
        since_monday = _modulo(graph, _plus(graph, since_thursday, 3), 7)
        values["weekday"] = _plus(graph, since_monday, 1)
    if "hour" in column.parts:
        values["hour"] = _over(graph, _rest(graph, moments, days, SECONDS_PER_DAY), 3600)
    if {"year", "month"} & set(column.parts):
        values["year"], values["month"] = _year_and_month(graph, days)
    return {part: values[part] for part in column.parts}


def _year_and_month(graph: Graph, days: str) -> tuple[str, str]:
    era = _floor(graph, days, DAYS_PER_ERA)
    shifted = _plus(graph, _rest(graph, days, era, DAYS_PER_ERA), DAYS_BEFORE_1970)
    era = graph.node("Add", era, _over(graph, shifted, DAYS_PER_ERA))
    day_of_era = _modulo(graph, shifted, DAYS_PER_ERA)
    leap_days = graph.node("Sub", _over(graph, day_of_era, 36_524), _over(graph, day_of_era, 1460))
    leap_days = graph.node("Sub", leap_days, _over(graph, day_of_era, DAYS_PER_ERA - 1))
    year_of_era = _over(graph, graph.node("Add", day_of_era, leap_days), 365)
    days_before = graph.node("Add", _times(graph, year_of_era, 365), _over(graph, year_of_era, 4))
    days_before = graph.node("Sub", days_before, _over(graph, year_of_era, 100))
    day_of_year = graph.node("Sub", day_of_era, days_before)
    # Months since March: five of them have 153 days.
    month = _over(graph, _plus(graph, _times(graph, day_of_year, 5), 2), 153)
    month = _plus(graph, _modulo(graph, _plus(graph, month, 2), 12), 1)
    year = graph.node("Add", _times(graph, era, 400), year_of_era)
    in_next_year = graph.cast(graph.node("Less", month, graph.integers(3)), "int64")
    return graph.node("Add", year, in_next_year), month


def _floor(graph: Graph, number: str, divisor: int) -> str:
    """Add the largest integer that is no more than number / divisor."""
    quotient = _over(graph, number, divisor)
    rest = _rest(graph, number, quotient, divisor)
    negative = graph.cast(graph.node("Less", rest, graph.integers(0)), "int64")
    return graph.node("Sub", quotient, negative)


def _rest(graph: Graph, number: str, quotient: str, divisor: int) -> str:
    return graph.node("Sub", number, _times(graph, quotient, divisor))


def _modulo(graph: Graph, number: str, divisor: int) -> str:
    return _rest(graph, number, _over(graph, number, divisor), divisor)


def _over(graph: Graph, number: str, divisor: int) -> str:
    return graph.node("Div", number, graph.integers(divisor))


def _times(graph: Graph, number: str, factor: int) -> str:
    return graph.node("Mul", number, graph.integers(factor))


def _plus(graph: Graph, number: str, summand: int) -> str:
    return graph.node("Add", number, graph.integers(summand))

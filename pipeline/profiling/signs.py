"""Signs that a column is no feature: a row number, an id, a label, a constant."""

import re

from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import Kind
from pipeline.settings.messages import count

LABEL_SHARE = 0.9
"""Share of different texts from which a column is a label."""
_TIMES = re.compile(
    r"(.*[^a-z])?(time|t|trend|days?|weeks?|months?|years?|yr|date|period|quarter|hours?|min|minutes?"
    r"|sec|seconds?|age|dose|x\d*|step|epoch|iter(ation)?|trial|level|rank|score|temp|visit|wave"
    r"|size|length|depth|height|width|weight|speed|distance)([^a-z].*)?",
    re.I,
)
_IDS = re.compile(
    r"(.*[^a-z])?(id|ids|uuid|guid|key|code|nr|no|num|number|index|idx|row|rowid|rownum|obs|case"
    r"|serial|subject|sample|record|phone|zip|zipcode|postcode|fips|pid|ssn|isbn)\.?([^a-z].*)?"
    r"|.*[a-z](Id|ID|Key|Code)|rownames?|unnamed.*|",
    re.I,
)
_CAMEL_ID = re.compile(r".*[a-z](Id|ID|Nr|No|Key|Code)")


def row_number(column: Column, is_named: bool) -> str:
    """Return why a column is a row number; "" if it is not. is_named: by the file."""
    if column.wrong_rows or not (column.steps and column.rows > 2 and column.start in (0.0, 1.0)):
        return ""
    if is_named and _TIMES.fullmatch(column.name):
        return ""
    name = "" if is_named else ", and has no name"
    return (
        f"a row number: {column.start:.0f}, {column.start + 1:.0f}, {column.start + 2:.0f}, …{name}"
    )


def identifier(column: Column, kind: Kind, is_named: bool) -> str:
    """Return why a column of numbers is an id; "" if it is not."""
    if kind != "number" or not column.integers or column.rows < 3:
        return ""
    differs = column.distinct >= 0.99 * column.known and column.distinct > 2
    named_so = _IDS.fullmatch(column.name) or _CAMEL_ID.fullmatch(column.name) or not is_named
    if differs and named_so:
        return "an id, by its name: another number in every row"
    return ""


def label(column: Column, kind: Kind) -> str:
    """Return why a column of texts is a label; "" if it is not."""
    if kind != "text" or not column.known:
        return ""
    share = column.distinct / column.known
    if share >= LABEL_SHARE and (column.distinct > 5 or (share == 1 and column.rows > 2)):
        differing = "every row" if column.distinct >= column.known else "nearly every row"
        return f"a label: another text in {differing}"
    if not column.has_all:
        return f"more than {len(column.values):,} different texts"
    return ""


def constant(column: Column) -> str:
    """Return why a column is constant; "" if it is not."""
    if column.known == column.rows and column.has_all and len(column.values) == 1:
        return "the same in every row"
    is_one = column.low == column.high and not column.infinite
    if column.known == column.rows and not column.wrong_rows and is_one:
        return "the same in every row"
    return ""


def nearly_constant(column: Column) -> str:
    """Return the value that 99 % of the rows have; "" if there is none."""
    if not column.has_all or len(column.values) < 2:
        return ""
    ((value, rows),) = column.values.most_common(1)
    if rows >= 0.99 * column.rows:
        others = count(column.rows - rows, "row", ",")
        return f"{value!r} in all but {others}"
    return ""

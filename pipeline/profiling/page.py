"""A profile and its proposal as text for a person, and as JSON for programs."""

from collections.abc import Sequence
from typing import Any

from pipeline.profiling import dates, job
from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import kind
from pipeline.profiling.proposal import Proposal
from pipeline.profiling.remarks import Remark
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings import terminal
from pipeline.settings.messages import count
from pipeline.tables import raw_files

WIDEST = {"column": 30, "values": 50, "example": 24}
MOST_LEVELS_SHOWN = 4
_HEAD = ("column", "kind", "gaps", "distinct", "values", "example")
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "|", "blank": "blanks"}


def lines(profile: TableProfile, proposal: Proposal, remarks: Sequence[Remark]) -> list[str]:
    """Return the page: a line on the file, a line a column, then the remarks and the proposal."""
    rows = [_HEAD, *(_cells(column, proposal) for column in profile.columns)]
    rows = [tuple(_cut(cell, WIDEST.get(head, 99)) for head, cell in zip(_HEAD, row, strict=True))
            for row in rows]  # fmt: skip
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    table = [
        "  ".join(
            cell.rjust(width) if 2 <= place <= 3 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    result = [_file_line(profile), "", *table]
    if remarks:
        result += ["", "remarks"]
        for remark in remarks:
            name = "the file" if remark.column is None else remark.column
            result.append(f"  {_visible(name)}: {_visible(remark.text)}")
    result += ["", "proposal for params.yaml, under data:"]
    result += ["  features:", *job.features(proposal)]
    if proposal.excluded:
        result += ["  exclude:", *job.excluded(proposal.excluded)]
    return result


def json_of(
    profile: TableProfile, proposal: Proposal, remarks: Sequence[Remark], query: Any
) -> dict[str, Any]:
    """Return the same as a value for JSON."""
    columns = []
    for column in profile.columns:
        each: dict[str, Any] = {
            "name": column.name,
            "kind": kind(column),
            "rows": column.rows,
            "gaps": column.gaps,
            "distinct": column.distinct,
            "distinct_is_exact": column.has_all,
            "example": column.example,
        }
        if kind(column) in ("number", "units"):
            each |= {"min": _finite(column.low), "max": _finite(column.high),
                     "integers": column.integers}  # fmt: skip
        if kind(column) == "date":
            each["formats"] = list(column.dates.formats or [])
        if kind(column) == "text":
            each["levels"] = [
                {"name": level, "rows": rows} for level, rows in column.values.most_common(50)
            ]
        columns.append(each)
    return {
        "file": str(profile.path),
        "rows": profile.rows,
        "read": proposal.read.model_dump(mode="json"),
        "columns": columns,
        "remarks": [vars(remark) for remark in remarks],
        "proposal": {
            "features": {name: choice.settings for name, choice in proposal.features.items()},
            "exclude": [choice.name for choice in proposal.excluded],
            "why": {choice.name: choice.why for choice in proposal.choices if choice.why},
            "targets": list(proposal.targets),
            "drop_rows": "missing_target" if proposal.drop_rows else None,
            "test_fraction": proposal.fraction,
            "query": query,
        },
    }


def _file_line(profile: TableProfile) -> str:
    read, written = profile.read, profile.dialect
    size = f"{count(profile.rows, 'row', ',')}, {count(len(profile.columns), 'column')}"
    if written is None:
        form = {raw_files.PARQUET: "Parquet", raw_files.JSON: "JSON", raw_files.EXCEL: "Excel"}
        name = next(form[kinds] for kinds in form if raw_files.kind(profile.path) in kinds)
        return f"{profile.path}: {name}, {size}"
    parts = [
        f"text in {read.encoding}",
        f"separated by {_SEPARATORS[written.separator]}",
        "decimal comma" if read.decimal == "," else "decimal point",
        "with names in its first line" if read.header else "without names in its first line",
    ]
    if written.comments:
        parts.append(count(written.comments, "comment line"))
    if read.skip_lines:
        parts.append(f"{count(read.skip_lines, 'line')} before the table")
    if read.footer_lines:
        parts.append(count(read.footer_lines, "footer line"))
    return f"{profile.path}: {', '.join(parts)}, {size}"


def _cells(column: Column, proposal: Proposal) -> tuple[str, ...]:
    of = kind(column)
    shown = {"units": "number", "text": "category", "empty": "-", "other": "-"}.get(of, of)
    if column.name in proposal.targets:
        shown = "target"
    elif column.name not in proposal.features:
        shown = "left out"
    distinct = f"{column.distinct:,}" if column.has_all else f">{len(column.values):,}"
    return (column.name, shown, f"{column.gaps:,}", distinct, _values(column), column.example)


def _values(column: Column) -> str:
    """Return the range of numbers or dates, or the most frequent levels."""
    of = kind(column)
    if of in ("number", "units"):
        return f"{_short(column.low)} to {_short(column.high)}"
    if of == "date" and column.dates.formats:
        form = column.dates.formats[0]
        return f"{_day(column.dates.first[form])} to {_day(column.dates.last[form])}"
    if of != "text":
        return ""
    levels = column.values.most_common(MOST_LEVELS_SHOWN)
    more = ", …" if len(column.values) > len(levels) else ""
    return ", ".join(f"{level} {rows:,}" for level, rows in levels) + more


def _short(number: float) -> str:
    whole = number % 1 == 0 and abs(number) < 1e15
    return f"{number:,.0f}" if whole else f"{number:.6g}"


def _day(seconds: int) -> str:
    return dates.day(seconds)


def _finite(number: float) -> float | None:
    return number if abs(number) < float("inf") else None


def _cut(cell: str, width: int) -> str:
    cell = _visible(cell)
    return cell if len(cell) <= width else cell[: width - 1] + "…"


def _visible(string: str) -> str:
    return terminal.visible(string).replace("\n", "\\n").replace("\t", "\\t")

"""What is learnt of the columns from the training rows, and the refusal of what cannot be used."""

import json
import sys
from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan, Rows
from pipeline.settings.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import table
from pipeline.tables.table import Writer


def plan(
    columns: Mapping[str, ColumnSettings],
    train: Writer,
    test: Writer,
    dropped: Mapping[str, int],
    excluded: Sequence[str],
) -> Plan:
    """Return the plan of the columns, learnt from the training rows.

    train, test: finished. dropped: see Rows.dropped. excluded: see Plan.excluded.
    Raises UserError with every column that cannot be learnt, and every column of which a test row
    has a value that the plan refuses.
    """
    learnt: list[AnyColumn] = []
    problems: dict[str, str] = {}
    for name, settings in columns.items():
        # One column at a time: the whole table may not fit into memory.
        values = table.read_arrow(train.path, [name]).column(0)
        try:
            learnt.append(column(name, settings, values))
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise UserError(_refusal(problems))
    result = Plan(
        rows=Rows(
            source=train.rows + test.rows + sum(dropped.values()),
            dropped=dict(dropped),
            training=train.rows,
            test=test.rows,
        ),
        excluded=tuple(excluded),
        columns=tuple(learnt),
    )
    if not result.is_matrix:
        _check_test_rows(result, test)
    return result


def column(name: str, settings: ColumnSettings, values: pa.ChunkedArray) -> AnyColumn:
    """Learn one column. values: of the training rows. Raises ValueError with the reason."""
    if isinstance(settings, NumberSettings):
        return NumberColumn.learn(name, settings, values)
    if isinstance(settings, CategorySettings):
        return CategoryColumn.learn(name, settings, values)
    assert isinstance(settings, DateSettings)
    return DateColumn.learn(name, settings, values)


def report(plan: Plan) -> None:
    """Print what was dropped, to stderr."""
    for name, rows in plan.rows.dropped.items():
        print(f"note: {count(rows, 'row', ',')} without {show(name)} left out", file=sys.stderr)


def _refusal(problems: Mapping[str, str]) -> str:
    """Return the message for columns that cannot be learnt."""
    lines = [f"data.features: {show(name)} {problem}" for name, problem in problems.items()]
    exclude = json.dumps([*problems], ensure_ascii=False)
    return "\n  ".join([*lines, f"leave them out, under data:\n  exclude: {exclude}"])


def _check_test_rows(plan: Plan, test: Writer) -> None:
    """Raise UserError with each column of which a held-out row has a value that is refused."""
    for each in plan.columns:
        values = table.read_arrow(test.path, [each.name])
        _, refused = Plan(rows=plan.rows, excluded=(), columns=(each,)).encode(values)
        if refused.any():
            raise UserError(f"data.features: {show(each.name)}: unseen")  # see the brief

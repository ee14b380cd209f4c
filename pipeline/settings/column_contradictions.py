"""Contradictions in data.features, data.exclude and what the columns ask of other keys."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime

from pipeline.settings import messages
from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.keys.sections import GENERATE, Data, Params
from pipeline.settings.yaml_file import Key

Mistakes = Iterator[tuple[Key, str]]

TYPED_INPUTS_OPSET = 19
"""The first operator set in which `Equal` compares texts."""

LARGEST_FLOAT32 = 3.4028234663852886e38


def of(params: Params) -> Mistakes:
    """Yield each contradiction: the key, and the end of the message."""
    data = params.data
    yield from _names(data)
    if params.model.bias and isinstance(data.columns.get("bias"), NumberSettings):
        yield (
            ("data", "features"),
            "found 'bias', which coefficients.csv uses for the intercept; rename the column, or set"
            " model.bias to false",
        )
    for name, column in data.columns.items():
        key: Key = ("data", "features", name)
        if isinstance(column, NumberSettings):
            yield from _number(key, column, params.model.dtype)
        elif isinstance(column, CategorySettings):
            yield from _category(key, column)
        elif isinstance(column, DateSettings):
            yield from _date(key, column)
    yield from _encoded_names(data)
    typed = [name for name, column in data.columns.items() if not _is_in_matrix(column)]
    if isinstance(data.features, dict) and data.source == GENERATE:
        yield (
            ("data", "features"),
            f"found {messages.show(data.features)}, but data.source is {GENERATE}, which makes"
            f" numbers alone; write `features: {json.dumps([*data.features], ensure_ascii=False)}`,"
            " or give a file in data.source",
        )
    if typed and params.export.opset < TYPED_INPUTS_OPSET:
        yield (
            ("export", "opset"),
            f"found {params.export.opset}; must be at least {TYPED_INPUTS_OPSET}, because"
            f" {messages.show(typed[0])} is no column of complete numbers, and older operator sets"
            " cannot compare texts",
        )


def _is_in_matrix(column: ColumnSettings) -> bool:
    """True if the column is a number that is never missing."""
    return (
        isinstance(column, NumberSettings)
        and column.missing in ("refuse", "drop_row")
        and not column.indicator
    )


def _names(data: Data) -> Mistakes:
    """Yield names that are there twice, in one list or in two of them."""
    features, targets, exclude = tuple(data.features), data.targets, data.exclude
    lists = {"features": features, "exclude": exclude, "targets": targets}
    for kind, names in lists.items():
        if len(set(names)) < len(names):
            yield ("data", kind), f"found {messages.show(names)}; each name must be there once"
    if both := [name for name in targets if name in features]:
        yield (
            ("data", "targets"),
            f"found {both[0]!r}, which is in data.features too; a column is either a feature"
            " or a target",
        )
    for kind in ("features", "targets"):
        if both := [name for name in exclude if name in lists[kind]]:
            shown = messages.first_of([messages.show(name) for name in both], 8)
            yield (
                ("data", "exclude"),
                f"found {shown}, also in data.{kind}; a column is either used or left out",
            )


def _number(key: Key, column: NumberSettings, dtype: str) -> Mistakes:
    """Yield the contradictions of a column of numbers. dtype: the model's precision."""
    missing = column.missing
    if dtype == "float32" and isinstance(missing, float) and abs(missing) > LARGEST_FLOAT32:
        yield (
            (*key, "missing"),
            f"found {messages.show(missing)}, which is beyond what float32 holds; write a number"
            " nearer to 0, or set model.dtype to float64",
        )
    if column.indicator and column.missing in ("refuse", "drop_row"):
        yield (
            (*key, "indicator"),
            f"found true, but with `missing: {column.missing}` no row has a gap to say; set missing"
            " to mean, median or a number, or leave the indicator out",
        )


def _category(key: Key, column: CategorySettings) -> Mistakes:
    if column.min_count is not None and column.unseen not in (None, "rare"):
        yield (
            (*key, "unseen"),
            f"found {column.unseen} with min_count {column.min_count}, which folds rare levels into"
            " one; a level that no training row has is rare too: write `unseen: rare`, or leave"
            " min_count out",
        )
    if column.min_count is None and column.unseen == "rare":
        yield (
            (*key, "unseen"),
            "found rare, but no min_count says which levels are rare; add `min_count: 10`, say, or"
            " write `unseen: reference`",
        )


def _date(key: Key, column: DateSettings) -> Mistakes:
    if len(set(column.parts)) < len(column.parts):
        yield (*key, "parts"), f"found {messages.show(column.parts)}; each must be there once"
    if column.format is None:
        return
    moment = datetime(2001, 12, 31, 23, 45, 56)
    try:
        read = datetime.strptime(moment.strftime(column.format), column.format)
    except ValueError as error:
        yield (*key, "format"), f"found {messages.show(column.format)}; must be a format: {error}"
        return
    if (read.year, read.month) != (moment.year, moment.month):
        yield (
            (*key, "format"),
            f"found {messages.show(column.format)}; must have the year and the month, as"
            ' "%d/%m/%Y" has',
        )
    elif "hour" in column.parts and read.hour != moment.hour:
        yield (
            (*key, "format"),
            f"found {messages.show(column.format)}, but hour is one of the parts; add the hour, as"
            ' in "%d/%m/%Y %H:%M", or leave the part out',
        )


def _encoded_names(data: Data) -> Mistakes:
    """Yield columns that have the name of a number which another column becomes."""
    made: Mapping[str, str] = {
        encoded: name
        for name, column in data.columns.items()
        for encoded in _made_from(name, column)
    }
    for name in (*data.columns, *data.targets):
        if name in made:
            yield (
                ("data", "features"),
                f"found {messages.show(name)}, which is also the name of a number made from"
                f" {messages.show(made[name])}; rename one of the columns",
            )


def _made_from(name: str, column: ColumnSettings) -> list[str]:
    """Return the names of numbers that are known before the levels are."""
    if isinstance(column, DateSettings):
        return [f"{name}[{part}]" for part in column.parts]
    if isinstance(column, NumberSettings) and column.indicator:
        return [f"{name}[missing]"]
    return []

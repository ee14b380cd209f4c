"""The columns that are read from a user's table, and their types."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.keys.sections import Data
from pipeline.settings.keys.term_text import Kind as TermKind
from pipeline.settings.keys.term_text import Term
from pipeline.settings.keys.weight_settings import Weights
from pipeline.tables.raw_file import RawFile


@dataclass(frozen=True)
class Selection:
    """The columns that are read from a table.

    columns: the features with their settings. targets: empty where a model answers rows.
    is_list: True if data.features is a list. exclude: data.exclude. path: the first file.
    decimal: data.read.decimal. choosing: the columns by which rows belong together, features or
    not, with their settings. weights: the column of the rows' weights. logs: the targets of which
    the logarithm is fitted.
    """

    columns: Mapping[str, ColumnSettings]
    targets: tuple[str, ...]
    is_list: bool = True
    exclude: tuple[str, ...] = ()
    path: Path | None = None
    decimal: str = "."
    choosing: Mapping[str, ColumnSettings] = field(default_factory=dict)
    weights: Weights | None = None
    in_terms: Mapping[str, TermKind] = field(default_factory=dict)
    """The features of which a term is the logarithm, or else the square root."""
    logs: frozenset[str] = frozenset()

    @cached_property
    def settings(self) -> Mapping[str, ColumnSettings]:
        """All columns that are read.

        The features, the targets, the weights, then the others of `choosing`.
        """
        weights = () if self.weights is None else (self.weights.by,)
        numbers = dict.fromkeys((*self.targets, *weights), NumberSettings(kind="number"))
        return {**self.columns, **numbers, **self.choosing}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns that are read."""
        return tuple(self.settings)

    def schema(self, float32: Collection[str] = ()) -> pa.Schema:
        """Return names and types of typed rows. float32: the numbers of single precision.

        Numbers are float64 or float32, NaN for a gap; categories string, "" for a gap; dates
        date32, or timestamp[s] in UTC if the hour is a part, null for a gap.
        """
        return pa.schema(
            [(name, _type(each, name in float32)) for name, each in self.settings.items()]
        )


def _type(settings: ColumnSettings, is_float32: bool) -> pa.DataType:
    if isinstance(settings, CategorySettings):
        return pa.string()
    if isinstance(settings, DateSettings):
        return pa.timestamp("s") if "hour" in settings.parts else pa.date32()
    return pa.float32() if is_float32 else pa.float64()


def in_terms(terms: Sequence[Term]) -> dict[str, TermKind]:
    """Return the columns of numbers with a logarithm, or else a square root, among the terms."""
    functions = [term for term in terms if term.of[0].part is None]
    roots: dict[str, TermKind] = {t.of[0].column: "sqrt" for t in functions if t.kind == "sqrt"}
    return roots | {t.of[0].column: "log" for t in functions if t.kind == "log"}


def choosing(
    data: Data, columns: Mapping[str, ColumnSettings], first: RawFile
) -> dict[str, ColumnSettings]:
    """Return the columns by which rows belong together, and how each is read.

    Rows are held out by them, folds are made or errors are clustered.

    columns: the features, which are read as the model needs them. Of the others, those with a gap
    of days are dates, and those that `first`, a file of the table, gives the type of dates; the
    rest are texts.
    """
    by_date = {each.by for each in data.chosen_by.values() if each.gap is not None}
    settings = {}
    for name in data.grouping.values():
        kind = first.schema.types[first.names.index(name)]
        is_date = name in by_date or pa.types.is_date(kind) or pa.types.is_timestamp(kind)
        own = DateSettings(kind="date") if is_date else CategorySettings(kind="category")
        settings[name] = columns.get(name, own)
    return settings

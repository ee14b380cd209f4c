"""Rows of a file with the types that the settings ask for; rows with certain gaps are left out."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, types

from pipeline.settings.keys.column_settings import ColumnSettings, NumberSettings
from pipeline.settings.keys.sections import Read
from pipeline.settings.keys.term_text import Kind as TermKind
from pipeline.tables import typed_values, weight_faults
from pipeline.tables.faults import ALL_INTEGERS_BELOW, Faults
from pipeline.tables.raw_file import Block, RawFile
from pipeline.tables.selection import Selection
from pipeline.tables.table import array, numbers, one_chunk
from pipeline.tables.typed_values import Converter, TypedValues, is_text, without_value

Mask = NDArray[np.bool_]
_INTEGER = r"^\s*[+-]?[0-9]+\s*$"


@dataclass
class TypedRows:
    """Reader of the typed rows of several files.

    selection: the columns. schema: of the rows. dialect: how the files are written.
    drop_missing_targets: True to leave out rows in which a target is missing.
    on_wrong: what to do with values that are wrong, and with gaps that none may be: refuse them,
        or leave a gap.
    dropped: the rows that were left out, by the first column whose value is missing, or by the
    column of the weights.
    """

    selection: Selection
    schema: pa.Schema
    dialect: Read
    drop_missing_targets: bool = False
    on_wrong: Literal["refuse", "gap"] = "refuse"
    dropped: dict[str, int] = field(default_factory=dict)
    _converters: dict[tuple[str, bool], Converter] = field(default_factory=dict)

    @property
    def can_drop(self) -> bool:
        """True if rows with certain gaps, or of weight 0, are left out."""
        return bool(self.selection.targets) and (
            self.drop_missing_targets
            or self.selection.weights is not None
            or any(map(_drops, self.selection.columns.values()))
        )

    def restricted(self, names: Collection[str] | None) -> "TypedRows":
        """Return a reader of the columns `names`, and of those by which rows are left out.

        None: of all columns. It has the targets and the weights, and counts anew the rows that it
        leaves out.
        """
        columns = {
            name: settings
            for name, settings in self.selection.columns.items()
            if names is None or name in names or _drops(settings)
        }
        choosing = {
            name: settings
            for name, settings in self.selection.choosing.items()
            if names is None or name in names
        }
        selection = replace(self.selection, columns=columns, choosing=choosing)
        schema = pa.schema([self.schema.field(name) for name in selection.names])
        return TypedRows(selection, schema, self.dialect, self.drop_missing_targets, self.on_wrong)

    def names_with_units(self, file: RawFile) -> list[str]:
        """Return the columns of text in a file whose numbers may have a unit, one in all rows."""
        # By place: `names` may have another spelling than the file's schema.
        kinds = dict(zip(file.names, file.schema.types, strict=True))
        return [
            name
            for name, settings in self.selection.settings.items()
            if self._has_units(settings) and is_text(kinds[name])
        ]

    def _has_units(self, settings: ColumnSettings) -> bool:
        return isinstance(settings, NumberSettings) and (settings.units or self.dialect.units)

    def of(self, file: RawFile) -> Iterator[Block]:
        """Yield the typed rows of a file.

        Raises UserError at its end with all values that cannot be used; nothing is yielded after
        the first of them.
        """
        index = {name: index for index, name in enumerate(file.names)}
        names = self.selection.names
        converters = {
            name: self._converter(name, settings, file.texts_as_written)
            for name, settings in self.selection.settings.items()
        }
        numbers = [
            isinstance(settings, NumberSettings) and not self._has_units(settings)
            for settings in self.selection.settings.values()
        ]
        faults = Faults(file.path, file.unit, self.selection)
        for block in file.blocks([index[name] for name in names], numbers):
            typed = self._typed(block, converters, faults)
            if not faults:
                yield typed
        faults.check()

    def _converter(self, name: str, settings: ColumnSettings, as_written: bool) -> Converter:
        """Return the converter of a column, the same for all files: it knows the column's unit."""
        key = name, as_written
        if key not in self._converters:
            float32 = self.schema.field(name).type == pa.float32()
            self._converters[key] = typed_values.converter(
                settings, self.dialect, as_written, float32
            )
        return self._converters[key]

    def _typed(self, block: Block, converters: Mapping[str, Converter], faults: Faults) -> Block:
        """Return the block with typed rows, some left out; what is wrong is added to `faults`."""
        columns = {
            name: each.convert(block.rows.column(place))
            for place, (name, each) in enumerate(converters.items())
        }
        refuse = self.on_wrong == "refuse"
        gaps: dict[str, Mask] = {}
        undecided: dict[str, Mask] = {}
        kept: Mask | None = None
        for name, settings in self.selection.settings.items():
            column = columns[name]
            if column.gaps is None:
                continue
            is_dropped = _drops(settings)
            if name in self.selection.targets:
                is_dropped = self.drop_missing_targets
            if is_dropped and self.selection.targets:
                before = np.ones(block.rows.num_rows, np.bool_) if kept is None else kept
                if number := int(np.count_nonzero(before & column.gaps)):
                    self.dropped[name] = self.dropped.get(name, 0) + number
                kept = before & ~column.gaps
            elif name in self.selection.choosing:
                undecided[name] = column.gaps
            elif self.selection.weights and name == self.selection.weights.by:
                continue  # see _weighted
            elif getattr(settings, "missing", None) == "refuse" and refuse:
                gaps[name] = column.gaps
        kept, no_weights = self._weighted(columns, kept)
        infinite: dict[str, Mask] = {}
        for place, (name, settings) in enumerate(self.selection.settings.items()):
            column = columns[name]
            if refuse:
                self._add_wrong(place, name, settings, column, block, faults)
            if isinstance(settings, NumberSettings):
                columns[name] = self._check_number(place, name, column, block, faults, infinite)
        faults.add_infinite(infinite, block)
        if refuse:
            in_terms = self.selection.in_terms
            faults.add_without_value(without_value(columns, in_terms, kept), block)
            logs: dict[str, TermKind] = dict.fromkeys(self.selection.logs, "log")
            faults.add_not_positive(without_value(columns, logs, kept), block)
        if no_target := [gaps[name] for name in self.selection.targets if name in gaps]:
            # Without these rows, the gaps that features have there are gone.
            has_target = ~np.logical_or.reduce(no_target)
            for name in self.selection.columns:
                if name in gaps:
                    gaps[name] &= has_target
        if kept is not None:
            gaps = {name: mask & kept for name, mask in gaps.items()}
            undecided = {name: mask & kept for name, mask in undecided.items()}
            no_weights = {kind: mask & kept for kind, mask in no_weights.items()}
        faults.add_missing(gaps, block)
        faults.add_undecided(undecided, block)
        faults.add_weights(no_weights, block)
        rows = pa.Table.from_arrays([each.values for each in columns.values()], schema=self.schema)
        if kept is not None and not kept.all():
            rows = rows.filter(array(kept, pa.bool_()))
            block = replace(block, places=partial(_places, block.places, np.flatnonzero(kept)))
        wrong = {name: each.wrong for name, each in columns.items() if each.wrong is not None}
        return replace(block, rows=rows, wrong=wrong)

    def _weighted(
        self, columns: Mapping[str, TypedValues], kept: Mask | None
    ) -> tuple[Mask | None, Mapping[str, Mask]]:
        """Return the rows that are kept, without those of weight 0, and values that are no weights.

        columns: the typed columns. kept: the rows that are kept without weights; None: all.
        """
        settings = self.selection.weights
        if settings is None:
            return kept, {}
        column = columns[settings.by]
        weights = numbers(column.values)
        if (none := weights == 0).any():
            before = np.ones(len(weights), np.bool_) if kept is None else kept
            dropped = self.dropped.get(settings.by, 0) + int(np.count_nonzero(before & none))
            self.dropped |= {settings.by: dropped} if dropped else {}
            kept = before & ~none
        return kept, weight_faults.of(settings, weights, column.gaps)

    def _add_wrong(
        self,
        place: int,
        name: str,
        settings: ColumnSettings,
        column: TypedValues,
        block: Block,
        faults: Faults,
    ) -> None:
        """Add the values of a column that are not of its kind to the faults."""
        if column.wrong is None and not faults.is_wrong(name):
            return
        wrong = np.zeros(block.rows.num_rows, np.bool_) if column.wrong is None else column.wrong
        texts = _as_text(block.original(place))
        if column.gaps is not None:
            texts = compute.if_else(array(column.gaps, pa.bool_()), None, texts)
        faults.add_wrong(name, settings, wrong, texts, block)

    def _check_number(
        self,
        place: int,
        name: str,
        column: TypedValues,
        block: Block,
        faults: Faults,
        infinite: dict[str, Mask],
    ) -> TypedValues:
        """Add infinite numbers and integers that float64 rounds; or return gaps in their place."""
        numbers = np.from_dlpack(column.values)
        if not len(numbers):
            return column
        with np.errstate(invalid="ignore"):
            low, high = (
                (numbers.min(), numbers.max())
                if column.gaps is None and column.wrong is None
                else (np.nanmin(numbers, initial=0), np.nanmax(numbers, initial=0))
            )
        if low > -ALL_INTEGERS_BELOW and high < ALL_INTEGERS_BELOW:
            return column
        is_infinite = np.isinf(numbers)
        if self.on_wrong == "gap":
            if not is_infinite.any():
                return column
            values = np.where(is_infinite, np.nan, numbers)
            wrong = is_infinite if column.wrong is None else column.wrong | is_infinite
            return replace(column, values=array(values, column.values.type), wrong=wrong)
        if is_infinite.any():
            infinite[name] = is_infinite
        large = np.flatnonzero(np.isfinite(numbers) & (abs(numbers) >= ALL_INTEGERS_BELOW))
        for row, value in _inexact(block.original(place), large)[:1]:
            faults.add_inexact(name, row, value, block)
        return column


def _places(
    places: Callable[[Sequence[int]], list[int]], kept: NDArray[np.int64], rows: Sequence[int]
) -> list[int]:
    """See Block.places. places: of all rows. kept: indices of those that are left."""
    return places(kept[np.asarray(rows, np.int64)].tolist())


def _drops(settings: ColumnSettings) -> bool:
    """Return True if a row without a value of the column is left out."""
    return getattr(settings, "missing", None) == "drop_row"


def _inexact(values: pa.ChunkedArray, rows: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Return the rows whose value is an integer that float64 cannot represent, with the integer."""
    if not len(rows) or types.is_floating(values.type):
        return []
    texts = _as_text(values.take(pa.array(rows.tolist(), pa.int64())))
    pairs = [
        # Python takes at most 4,300 digits; a longer number here can only begin with zeros.
        (row, int(re.sub(r"^\s*([+-]?)0+(?=\d)", r"\1", text)))
        for row, text in zip(rows.tolist(), texts.to_pylist(), strict=True)
        if text is not None and re.fullmatch(_INTEGER, text)
    ]
    return [(row, integer) for row, integer in pairs if int(float(integer)) != integer]


def _as_text(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as text, for messages: [rows]."""
    if is_text(values.type):
        texts = values.cast(pa.string())
    else:
        try:
            texts = values.cast(pa.string())
        except pa.ArrowException:  # a list, a structure
            texts = pa.chunked_array([[str(value) for value in values.to_pylist()]], pa.string())
    return one_chunk(texts)

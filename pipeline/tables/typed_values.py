"""Values of one column with the type that its settings ask for, from whatever type a file has."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, types

from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.keys.sections import Read
from pipeline.settings.keys.term_text import Kind as TermKind
from pipeline.tables import date_texts
from pipeline.tables.date_texts import DateTexts
from pipeline.tables.number_texts import BLANKS, NumberTexts
from pipeline.tables.table import array, bools, integers, numbers, one_chunk

Bools = NDArray[np.bool_]
_TEXTS = (pa.string(), pa.large_string(), pa.string_view())


@dataclass(frozen=True)
class TypedValues:
    """Values of a column.

    values: [rows], with the column's type; a gap where the file has one or the value is wrong.
    gaps: True where the file has no value: [rows]; None if nowhere.
    wrong: True where a value is not of the kind: [rows]; None if nowhere.
    """

    values: pa.Array
    gaps: Bools | None = None
    wrong: Bools | None = None


class Converter(ABC):
    """Converter of one column, block by block.

    kind: the type of the typed values.
    """

    kind: pa.DataType

    @abstractmethod
    def convert(self, values: pa.ChunkedArray) -> TypedValues:
        """Return the typed values of a block. values: as the file has them."""


def converter(settings: ColumnSettings, read: Read, as_written: bool, float32: bool) -> Converter:
    """Return the converter of a column.

    as_written: see RawFile.texts_as_written. float32: True for numbers of single precision.
    """
    if isinstance(settings, NumberSettings):
        return _Numbers(NumberTexts.of(read, settings.units), float32, read.missing_numbers)
    if isinstance(settings, CategorySettings):
        return _Categories(read.missing_levels if as_written else (read.missing or ()), as_written)
    assert isinstance(settings, DateSettings)
    return _Dates(read.missing_texts, as_written, settings)


def is_text(kind: pa.DataType) -> bool:
    """Return True for columns of text, dictionaries of text included."""
    return (kind.value_type if types.is_dictionary(kind) else kind) in _TEXTS


class _Numbers(Converter):
    def __init__(self, texts: NumberTexts, float32: bool, missing: Sequence[float]) -> None:
        self.kind = pa.float32() if float32 else pa.float64()
        self._missing = np.array(missing)
        self._texts = texts

    def convert(self, values: pa.ChunkedArray) -> TypedValues:
        wrong: Bools | None = None
        if types.is_floating(values.type) or types.is_integer(values.type):
            is_plain = values.type in (pa.float64(), pa.float32()) or not values.null_count
            column = numbers(values if is_plain else values.cast(pa.float64(), safe=False))
        elif is_text(values.type):
            column, wrong = self._texts.read(one_chunk(values.cast(pa.string())))
        elif types.is_decimal(values.type):
            # Arrow's own cast of a decimal to float64 may be off by one unit.
            column = numbers(values.cast(pa.string()).cast(pa.float64()))
        else:
            column = np.full(len(values), np.nan)
            wrong = bools(one_chunk(values).is_valid())
        if len(self._missing):
            missing = self._missing
            if values.type in (pa.float16(), pa.float32()):
                # -999.9 is another number there.
                missing = missing.astype(values.type.to_pandas_dtype()).astype(np.float64)
            column = np.where(np.isin(column, missing), np.nan, column)
        # NaN propagates through the minimum: a cheap test of the whole column.
        has_gaps = len(column) > 0 and bool(np.isnan(column.min()))
        gaps: Bools | None = np.isnan(column) if has_gaps else None
        if wrong is not None and wrong.any() and gaps is not None:
            gaps &= ~wrong
        typed = column.astype(np.float32) if self.kind == pa.float32() else column
        return TypedValues(array(typed, self.kind), _any(gaps), _any(wrong))


class _Categories(Converter):
    kind = pa.string()

    def __init__(self, missing: tuple[str, ...], as_written: bool) -> None:
        self._missing = pa.array(["", *missing], pa.string())
        self._as_written = as_written

    def convert(self, values: pa.ChunkedArray) -> TypedValues:
        wrong: Bools | None = None
        kind = values.type.value_type if types.is_dictionary(values.type) else values.type
        if types.is_floating(kind):
            column = numbers(values.cast(pa.float64()))
            with np.errstate(invalid="ignore"):
                wrong = ~np.isnan(column) & ((column != np.trunc(column)) | (abs(column) > 2**53))
            whole = np.where(wrong | np.isnan(column), 0, column).astype(np.int64)
            texts = array(whole, pa.int64()).cast(pa.string())
            values = pa.chunked_array(
                [compute.if_else(array(wrong | np.isnan(column), pa.bool_()), None, texts)]
            )
        elif not (is_text(values.type) or types.is_boolean(kind) or types.is_integer(kind)):
            wrong = bools(one_chunk(values).is_valid())
            values = pa.chunked_array([pa.nulls(len(values), pa.string())])
        indices, uniques = dictionary(values)
        # Blanks and words for gaps are sought among the levels, not among the rows.
        levels = uniques.cast(pa.string()).fill_null("")
        if self._as_written:
            levels = compute.ascii_trim(levels, BLANKS)
        is_gap = compute.is_in(levels, value_set=self._missing)
        levels = compute.if_else(is_gap, "", levels)
        typed = levels.take(indices).fill_null("")
        # NumPy, and with it onnxruntime, loses a NUL at the end of a text.
        has_nul = compute.match_substring(levels, "\0")
        if compute.any(has_nul).as_py():
            nul_rows = bools(has_nul.take(indices))
            wrong = nul_rows if wrong is None else wrong | nul_rows
        gaps: Bools | None = None
        if indices.null_count or compute.any(is_gap).as_py():
            gaps = bools(compute.equal(typed, ""))
            if wrong is not None:
                gaps &= ~wrong
        return TypedValues(typed, _any(gaps), _any(wrong))


class _Dates(Converter):
    def __init__(self, missing: tuple[str, ...], as_written: bool, settings: DateSettings) -> None:
        self.kind = pa.timestamp("s") if "hour" in settings.parts else pa.date32()
        self._missing = pa.array(["", *missing], pa.string())
        self._as_written = as_written
        self._texts = DateTexts(settings.format)

    def convert(self, values: pa.ChunkedArray) -> TypedValues:
        kind = values.type
        if types.is_timestamp(kind) or types.is_date(kind):
            seconds, gaps = _seconds_of(one_chunk(values))
            wrong = ~gaps & ~date_texts.is_in_range(seconds)
        elif is_text(kind):
            indices, uniques = dictionary(values)
            texts = uniques.cast(pa.string()).fill_null("")
            if self._as_written:
                texts = compute.ascii_trim(texts, BLANKS)
            is_gap = bools(compute.is_in(texts, value_set=self._missing))
            moments = np.full(len(texts), date_texts.GAP)
            moments[~is_gap] = self._texts.read(texts.filter(array(~is_gap, pa.bool_())))
            is_null = bools(indices.is_null())
            places = integers(indices.fill_null(len(texts)))
            seconds = np.append(moments, date_texts.GAP)[places]
            gaps = np.append(is_gap, True)[places] | is_null
            wrong = ~gaps & (seconds == date_texts.GAP)
        else:
            gaps = bools(one_chunk(values).is_null())
            seconds, wrong = np.full(len(values), date_texts.GAP), ~gaps
        known = np.where(gaps | wrong, 0, seconds)
        if self.kind == pa.date32():
            typed = array((known // date_texts.SECONDS_PER_DAY).astype(np.int32), pa.int32())
        else:
            typed = array(known, pa.int64())
        if gaps.any() or wrong.any():
            typed = compute.if_else(array(gaps | wrong, pa.bool_()), None, typed)
        return TypedValues(typed.cast(self.kind), _any(gaps), _any(wrong))


def dictionary(values: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return the index of each value in the array of different values, and that array."""
    if not types.is_dictionary(values.type):
        values = values.dictionary_encode()
    whole = one_chunk(values.unify_dictionaries())
    return whole.indices, whole.dictionary


def _seconds_of(values: pa.Array) -> tuple[NDArray[np.int64], Bools]:
    """Return seconds since 1970-01-01, rounded down, and True for each gap: [rows] each."""
    gaps = bools(values.is_null())
    if types.is_date(values.type):
        days = values.cast(pa.date32()).cast(pa.int32()).fill_null(0)
        return integers(days) * date_texts.SECONDS_PER_DAY, gaps
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[values.type.unit]
    return integers(values.fill_null(0)) // per_second, gaps


def _any(mask: Bools | None) -> Bools | None:
    """Return the mask, or None if it is False everywhere."""
    return mask if mask is not None and mask.any() else None


def without_value(
    columns: Mapping[str, TypedValues], kinds: Mapping[str, TermKind], kept: Bools | None
) -> dict[str, Bools]:
    """Return where the logarithm or the root of a column has no value: [rows] each.

    kinds: which of the two is asked of a column. kept: True for each row that is not left out.
    """
    masks = {}
    for name, kind in kinds.items():
        if name in columns:
            column = numbers(columns[name].values)
            with np.errstate(invalid="ignore"):
                mask = column <= 0 if kind == "log" else column < 0
            if mask.any():
                masks[name] = mask if kept is None else mask & kept
    return masks

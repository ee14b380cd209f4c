"""The values by which rows are chosen, as integers, and the number of rows of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from pipeline.settings.seeds import stream
from pipeline.tables.date_texts import SECONDS_PER_DAY
from pipeline.tables.table import integers, numbers, one_chunk

Integers: TypeAlias = NDArray[Any]
"""Days as int64, or hashes as uint64."""

MOST_VALUES = 1_000_000
"""Different values that are counted: 16 MB for each thread."""
BYTES_HASHED_AT_A_TIME = 1 << 20
ROWS_COUNTED_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class Groups:
    """The groups of rows with an equal value in a column, each with a hash of its value.

    stream: name of the random numbers that the hash is made of; another one gives other hashes.
    Two values of one hash, which two in 10¹⁷ pairs have, are one group.
    """

    column: str
    seed: int
    stream: str

    def of(self, rows: pa.Table) -> Integers:
        """Return the hash of each row's value: uint64 [rows]."""
        values = one_chunk(rows.column(self.column))
        if types.is_floating(values.type):
            bits = (numbers(values) + 0.0).view(np.uint64)  # -0.0 is 0.0
        elif types.is_timestamp(values.type) or types.is_date(values.type):
            bits = _seconds(values).view(np.uint64)
        else:
            encoded = one_chunk(values.dictionary_encode())
            return self._of_texts(encoded.dictionary)[integers(encoded.indices)]
        salt, _ = self._multipliers(0)
        return _mixed(_mixed(bits + salt))

    def _of_texts(self, texts: pa.Array) -> Integers:
        """Return the hash of each text: uint64 [rows].

        Multilinear over the bytes, which makes any two texts collide with a probability of at most
        2⁻⁵⁶ (Lemire and Kaser, Strongly universal string hashing is fast, 2014), then mixed.
        """
        if not len(texts):
            return np.empty(0, np.uint64)
        texts = texts.cast(pa.large_string())
        ends = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]
        content = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
        lengths = np.diff(ends)
        salt, multipliers = self._multipliers(int(lengths.max(initial=0)))
        sums = np.empty(len(texts), np.uint64)
        first = 0
        while first < len(texts):
            last = int(np.searchsorted(ends, ends[first] + BYTES_HASHED_AT_A_TIME, "right")) - 1
            last = min(max(last, first + 1), len(texts))
            begin, end = int(ends[first]), int(ends[last])
            starts = ends[first:last] - begin
            places = np.arange(end - begin) - np.repeat(starts, lengths[first:last])
            products = (content[begin:end].astype(np.uint64) + np.uint64(1)) * multipliers[places]
            cumulated = np.concatenate([np.zeros(1, np.uint64), np.cumsum(products)])
            sums[first:last] = cumulated[ends[first + 1 : last + 1] - begin] - cumulated[starts]
            first = last
        return _mixed(sums + salt)

    def _multipliers(self, count: int) -> tuple[np.uint64, Integers]:
        """Return a random number to add, and one for each byte of a text."""
        raw = stream(self.seed, self.stream).bit_generator.random_raw(count + 1)
        return raw[0], raw[1:]


@dataclass(frozen=True)
class Days:
    """The days in a column of dates."""

    column: str

    def of(self, rows: pa.Table) -> Integers:
        """Return days since 1970-01-01: int64 [rows]."""
        return _seconds(one_chunk(rows.column(self.column))) // SECONDS_PER_DAY


Valued: TypeAlias = Groups | Days


def _seconds(values: pa.Array) -> NDArray[np.int64]:
    """Return the seconds since 1970-01-01 of dates without gaps: [rows]."""
    if types.is_date(values.type):
        return integers(values.cast(pa.int32())) * SECONDS_PER_DAY
    return integers(values.cast(pa.timestamp("s"), safe=False))


def _mixed(bits: Integers) -> Integers:
    """Return bits of which each depends on all of them: uint64 [rows]; no two become equal.

    The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
    """
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Integers = bits ^ (bits >> np.uint64(31))
    return mixed


@dataclass(frozen=True, eq=False)
class ValueCounts:
    """The different values of some rows; those of blocks add in any order.

    rows: number of rows. values: sorted, [values]; counts: of rows, [values]. Both are None if
    there are more than MOST_VALUES.
    """

    rows: int
    values: Integers | None
    counts: NDArray[np.int64] | None

    @classmethod
    def of(cls, values: Integers) -> "ValueCounts":
        """Return the counts of some rows. values: of each, [rows]."""
        different, counts = np.unique(values, return_counts=True)
        return cls._bounded(len(values), different, counts.astype(np.int64))

    @classmethod
    def of_blocks(cls, blocks: Iterable[Integers]) -> "ValueCounts":
        """Return the counts of all rows of some blocks. blocks: values, [rows] each.

        Of many values, each addition takes as long as many blocks, so that blocks are gathered.
        """
        whole, held, rows = cls.of_no_rows(), list[Integers](), 0
        for values in blocks:
            held.append(values)
            rows += len(values)
            if rows >= ROWS_COUNTED_AT_A_TIME:
                whole += cls.of(np.concatenate(held))
                held, rows = [], 0
        return whole + cls.of(np.concatenate(held)) if held else whole

    @classmethod
    def of_no_rows(cls) -> "ValueCounts":
        """Return no counts."""
        return cls(0, np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def _bounded(cls, rows: int, values: Integers, counts: NDArray[np.int64]) -> "ValueCounts":
        return cls(rows, values, counts) if len(values) <= MOST_VALUES else cls(rows, None, None)

    def __add__(self, other: "ValueCounts") -> "ValueCounts":
        """Return the counts of the rows of both."""
        if not other.rows:
            return self
        if not self.rows:
            return other
        rows = self.rows + other.rows
        if self.values is None or other.values is None:
            return ValueCounts(rows, None, None)
        assert self.counts is not None
        assert other.counts is not None
        both = np.concatenate([self.values, other.values])
        order = np.argsort(both, kind="stable")  # two sorted halves: merged in one pass
        both, counts = both[order], np.concatenate([self.counts, other.counts])[order]
        starts = np.flatnonzero(np.concatenate([[True], both[1:] != both[:-1]]))
        return self._bounded(rows, both[starts], np.add.reduceat(counts, starts))

    @cached_property
    def known(self) -> tuple[Integers, NDArray[np.int64]]:
        """The values and their counts, of which there must not be too many."""
        assert self.values is not None
        assert self.counts is not None
        return self.values, self.counts

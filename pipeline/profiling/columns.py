"""What is counted of one column, block by block: values, gaps, numbers, forms of numbers, dates."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute, types

from pipeline.profiling import number_marks
from pipeline.profiling.dates import DateForms
from pipeline.settings.keys.sections import Read
from pipeline.tables import table
from pipeline.tables.number_texts import BLANKS, NumberTexts
from pipeline.tables.typed_values import dictionary, is_text

MOST_VALUES = 50_000
"""Different values of a column that are counted one by one."""
MOST_WRONG = 50
LARGEST_EXACT = 2.0**53


@dataclass
class Column:
    """A column of which blocks of rows were counted.

    name: "" for a column without one. as_written: see RawFile.texts_as_written.
    values: rows of each different value as text, without gaps; the first MOST_VALUES of them.
    has_all: True if `values` has all of them.
    distinct_in_blocks: the sum of each block's number of different values.
    wrong: rows of each text that is no number, with `read`'s marks; at most MOST_WRONG of them.
    wrong_rows, wrong_with_units: rows that are no numbers, and that are none with units either.
    words: rows of none, - and the like: gaps among numbers, levels among texts; counted as gaps
        until `take_words_as_levels`.
    steps: True while each integer is one more than that of the row before.
    """

    name: str
    read: Read
    as_written: bool
    rows: int = 0
    gaps: int = 0
    values: Counter[str] = field(default_factory=Counter)
    has_all: bool = True
    distinct_in_blocks: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    wrong_rows: int = 0
    wrong_with_units: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    low: float = np.inf
    high: float = -np.inf
    integers: bool = True
    leading_zeros: bool = False
    inexact: bool = False
    infinite: bool = False
    steps: bool = True
    start: float | None = None
    stop: float = np.nan
    typed: str = ""
    dates: DateForms = field(default_factory=DateForms)
    example: str = ""
    _with_units: NumberTexts | None = None

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.gaps

    @property
    def distinct(self) -> int:
        """Number of different values, or what it is at the most if `has_all` is False."""
        return len(self.values) if self.has_all else self.distinct_in_blocks

    def add(self, values: pa.ChunkedArray) -> None:
        """Count a block of rows."""
        kind = values.type.value_type if types.is_dictionary(values.type) else values.type
        self.rows += len(values)
        if types.is_null(kind):
            self.gaps += len(values)
            return
        if types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
            self._add_numbers(values.cast(kind), kind)
        elif types.is_timestamp(kind) or types.is_date(kind):
            self._add_moments(values.cast(kind))
        elif is_text(values.type) or types.is_boolean(kind):
            self.typed = self.typed or ("text" if not types.is_boolean(kind) else "truth")
            self._add_texts(values if is_text(values.type) else values.cast(pa.string()))
        else:
            self.typed = "other"
            self.example = self.example or str(values[0].as_py())[:60]
            self.gaps += values.null_count

    def take_words_as_levels(self) -> None:
        """Count `words` as values: the column turned out to hold texts."""
        self.example = self.example or next(iter(self.words), "")
        rows = self.words.total()
        self.gaps -= rows
        self.wrong_rows += rows
        self.wrong_with_units += rows
        self.wrong.update(self.words)
        self.values.update(self.words)
        self.distinct_in_blocks += len(self.words)
        self.words.clear()

    def _are_only_numbers(self, values: pa.ChunkedArray) -> bool:
        """Count a block of numbers, which differ too much to be counted one by one.

        Returns False, and counts nothing, if it may be anything else.
        """
        if self.has_all or self.wrong_rows or self.leading_zeros:
            return False
        texts = table.one_chunk(values).cast(pa.string())
        numbers, wrong = NumberTexts.of(self.read).read(texts)
        if wrong.any():
            return False
        known = numbers[~np.isnan(numbers)]
        self.gaps += len(numbers) - len(known)
        self.forms["plain"] += len(known)
        self._add_range(known, numbers)
        # Of numbers with fractions no one asks how many differ.
        self.distinct_in_blocks += len(np.unique(known)) if self.integers else len(known)
        return True

    def _add_texts(self, values: pa.ChunkedArray) -> None:
        if self._are_only_numbers(values):
            return
        indices, uniques = dictionary(values)
        counts = _counts(indices, len(uniques))
        uniques = uniques.cast(pa.string())
        missing = {"", *(self.read.missing_levels if self.as_written else self.read.missing or ())}
        words = set(self.read.missing_texts) - missing if self.as_written else set[str]()
        if self.as_written:
            uniques = compute.ascii_trim(uniques, BLANKS)
        texts = uniques.fill_null("").to_pylist()
        for text, number in zip(texts, counts.tolist(), strict=True):
            if text in words:
                self.words[text] += number
        known = np.array([text not in missing and text not in words for text in texts], np.bool_)
        self.gaps += len(values) - int(counts[known].sum())
        texts, rows = uniques.filter(table.array(known, pa.bool_())), counts[known]
        self._count(texts, rows)
        if not len(texts):
            return
        self.example = self.example or texts[0].as_py()
        numbers, wrong = NumberTexts.of(self.read).read(texts)
        if not wrong.any():
            self.forms["plain"] += int(rows.sum())
            self._note_zeros(texts)
        else:
            self._add_forms(texts, rows, wrong)
            # One reader for all blocks: a column has one unit.
            self._with_units = self._with_units or NumberTexts.of(self.read, units=True)
            with_units, wrong_units = self._with_units.read(texts)
            self.wrong_with_units += int(rows[wrong_units].sum())
            if rows[wrong_units].sum() < rows[wrong].sum():
                numbers = with_units
            self.dates.add(texts)
        places = np.full(len(known) + 1, np.nan)
        places[:-1][known] = numbers
        in_order = places[table.integers(indices.fill_null(len(known)).cast(pa.int64()))]
        self._add_range(numbers, in_order)
        if self.integers and max(self.high, -self.low) >= LARGEST_EXACT and not self.inexact:
            large = texts.filter(table.array(abs(numbers) >= LARGEST_EXACT, pa.bool_()))
            self.inexact = any(
                text.isdigit() and int(float(text)) != int(text) for text in large.to_pylist()
            )

    def _add_forms(
        self, texts: pa.Array, rows: NDArray[np.int64], wrong: NDArray[np.bool_]
    ) -> None:
        self.wrong_rows += int(rows[wrong].sum())
        self.forms.update(number_marks.forms(texts, table.array(rows, pa.int64())))
        wrong_texts = texts.filter(table.array(wrong, pa.bool_())).slice(0, MOST_WRONG)
        for text, number in zip(wrong_texts.to_pylist(), rows[wrong].tolist(), strict=False):
            if len(self.wrong) < MOST_WRONG or text in self.wrong:
                self.wrong[text] += number

    def _note_zeros(self, texts: pa.Array) -> None:
        if not self.leading_zeros:
            zeros = compute.match_substring_regex(texts, r"^0\d+$")
            self.leading_zeros = bool(compute.any(zeros).as_py())

    def _add_numbers(self, values: pa.ChunkedArray, kind: pa.DataType) -> None:
        self.typed = "number"
        whole = values.cast(pa.string()).cast(pa.float64()) if types.is_decimal(kind) else values
        if types.is_integer(kind) and len(values):
            low, high = compute.min_max(values).as_py().values()
            self.inexact = self.inexact or max(abs(low or 0), abs(high or 0)) > LARGEST_EXACT
        numbers = table.numbers(whole.cast(pa.float64(), safe=False))
        known = numbers[~np.isnan(numbers)]
        self.gaps += len(numbers) - len(known)
        uniques, rows = np.unique(known, return_counts=True)
        self._count(table.array(uniques, pa.float64()).cast(pa.string()), rows)
        if len(known):
            self.example = self.example or f"{known[0]:.6g}"
        self._add_range(known, numbers)

    def _add_moments(self, values: pa.ChunkedArray) -> None:
        self.typed = "date"
        self.gaps += values.null_count
        counted = values.drop_null().cast(pa.timestamp("us"), safe=False).value_counts()
        texts = counted.field("values").cast(pa.string())
        self._count(texts, table.integers(counted.field("counts")))
        if len(texts):
            self.example = self.example or texts[0].as_py()
            self.dates.add(texts)

    def _add_range(self, known: NDArray[np.float64], in_order: NDArray[np.float64]) -> None:
        """Add numbers to the range. known: without repetition; in_order: [rows], NaN for gaps."""
        finite = known[np.isfinite(known)]
        self.infinite = self.infinite or bool(np.isinf(known).any())
        if len(finite):
            self.low = min(self.low, float(finite.min()))
            self.high = max(self.high, float(finite.max()))
            self.integers = self.integers and not (finite % 1).any()
        if self.steps and len(in_order):
            expected = self.stop + 1 if self.start is not None else in_order[0]
            self.steps = bool((in_order == expected + np.arange(len(in_order))).all())
            self.start = float(in_order[0]) if self.start is None else self.start
            self.stop = float(in_order[-1])

    def _count(self, texts: pa.Array, rows: NDArray[np.int64]) -> None:
        """Count values, each of which is in `texts` once. rows: of each."""
        self.distinct_in_blocks += len(texts)
        if self.has_all:
            part = texts.slice(0, 2 * MOST_VALUES)
            for text, number in zip(part.to_pylist(), rows.tolist(), strict=False):
                self.values[text] += number
            self.has_all = len(part) == len(texts) and len(self.values) <= MOST_VALUES


def _counts(indices: pa.Array, size: int) -> NDArray[np.int64]:
    """Return how often each index is there: [size]."""
    present = table.integers(indices.drop_null().cast(pa.int64()))
    return np.bincount(present, minlength=size).astype(np.int64)

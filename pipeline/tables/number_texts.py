"""Numbers written as text, as a person or a program writes them: 1,234.5 or 1.234,5 or $1,200."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.settings.keys.sections import Read
from pipeline.tables.table import bools, numbers

BLANKS = " \t"
_PLAIN = r"^([+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|(?i:[+-]?inf(inity)?))$"
"""A number as float64 is written. RE2 takes time in proportion to the field, however long."""
_BLANK_MARKS = " \u00a0\u202f\u2009"
_APOSTROPHES = "'\u2019"
_MINUS_SIGNS = "[\u2212\u2013]"
_WORD = r"[\p{L}\p{Sc}%‰°²³′″\"]"
"""A character of a unit: <5, (5) and 1/2 are other numbers than 5, −5 and 1 say."""
_UNIT = rf"/?{_WORD}+[23]?(?:[/ ·]{_WORD}+[23]?)?"
"""A unit after a number: %, kg, m2, km/h."""
_FACTOR = re.compile(r"[%‰]|\t([kmbtg]|[bm]n|mio\.?|mrd\.?|thousand|[mb]illion)$", re.I)
"""A unit, after the one before the number and a tab, beside which a bare number is another size."""


@dataclass
class NumberTexts:
    """Reader of the numbers in a column of texts.

    decimal: the decimal mark. thousands: the mark between thousands, or None.
    missing: the texts that stand for a gap.
    units: True to read $1,200, 45 % and 1 234 as numbers: one sign or unit in the whole column.
    unit: of the numbers that were read so far. has_bare: True if one of them had none.
    """

    decimal: str
    thousands: str | None
    missing: Sequence[str]
    units: bool = False
    unit: str = ""
    has_bare: bool = False

    @classmethod
    def of(cls, read: Read, units: bool = False) -> "NumberTexts":
        """Return the reader of a file with this dialect."""
        return cls(read.decimal, read.thousands, read.missing_texts, units or read.units)

    def read(self, texts: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers, NaN for a gap, and True where a text is not a number: [rows] each.

        texts: string. Each number is the float64 nearest to what is written.
        """
        is_plain = self.decimal == "." and self.thousands is None and not self.units
        known = compute.if_else(self._is_gap(texts), None, texts)
        if is_plain:
            try:
                return numbers(known.cast(pa.float64())), np.zeros(len(texts), np.bool_)
            except pa.ArrowInvalid:
                pass
        trimmed = compute.ascii_trim(texts, BLANKS)
        known = compute.if_else(self._is_gap(trimmed), None, trimmed)
        written = known if is_plain else self._as_plain(known)
        is_number = compute.match_substring_regex(written, _PLAIN).fill_null(False)
        with_plus = compute.starts_with(written, "+")
        written = compute.if_else(with_plus, compute.utf8_slice_codeunits(written, 1), written)
        values = numbers(compute.if_else(is_number, written, None).cast(pa.float64()))
        return values, bools(compute.and_not(known.is_valid(), is_number))

    def _is_gap(self, texts: pa.Array) -> pa.Array:
        """Return True where a text stands for a gap: [rows]. A null does too."""
        missing = pa.array(["", "NaN", "nan", "NAN", *self.missing], pa.string())
        return compute.is_in(texts.fill_null(""), value_set=missing)

    def _as_plain(self, texts: pa.Array) -> pa.Array:
        """Return each number with a decimal point and without marks; null for what is none."""
        texts = compute.replace_substring_regex(texts, _MINUS_SIGNS, "-")
        parts = compute.extract_regex(texts, self._pattern)
        sign, after, core = (parts.field(name) for name in ("sign", "after", "core"))
        if self.thousands is not None or self.units:
            core = compute.replace_substring_regex(core, self._marks, "")
        if self.decimal == ",":
            core = compute.replace_substring(core, ",", ".")
        written = compute.binary_join_element_wise(sign, after, core, "")
        if self.units:
            units = compute.binary_join_element_wise(
                parts.field("prefix"), parts.field("suffix"), "\t"
            )
            is_one = self._has_one_unit(units, core)
            written = compute.if_else(is_one, written, None)
        return compute.if_else(parts.is_valid(), written, None)

    def _has_one_unit(self, units: pa.Array, core: pa.Array) -> pa.Array:
        """Return False where a number has another unit than the first one that has any: [rows].

        A number without a unit may stand beside $ or kg; beside %, k or million only 0 may.
        """
        known = units.drop_null()
        present = [unit for unit in known.unique().to_pylist() if unit != "\t"]
        self.unit = self.unit or next(iter(present), "")
        bare = compute.equal(units, "\t")
        is_zero = compute.match_substring_regex(core, r"^[0.]*$")
        if not _FACTOR.search(self.unit):
            if not self.has_bare:
                self.has_bare = bool(compute.any(compute.and_not(bare, is_zero)).as_py())
            return compute.or_(compute.equal(units, self.unit), bare)
        zero = compute.and_(bare, is_zero)
        return zero if self.has_bare else compute.or_(compute.equal(units, self.unit), zero)

    @property
    def _marks(self) -> str:
        """A regular expression for the mark between thousands."""
        if self.thousands == " ":
            return f"[{_BLANK_MARKS}]"
        if self.thousands == "'":
            return f"[{_APOSTROPHES}]"
        if self.thousands is not None:
            return re.escape(self.thousands)
        return f"[{',' if self.decimal == '.' else '.'}{_BLANK_MARKS}{_APOSTROPHES}]"

    @property
    def _pattern(self) -> str:
        """A regular expression with groups sign, after, core and, for units, prefix and suffix."""
        decimal = re.escape(self.decimal)
        core = rf"(?:\d+(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?"
        if self.thousands is not None or self.units:
            core = rf"(?:\d{{1,3}}(?:{self._marks}\d{{3}})+(?:{decimal}\d*)?|{core})"
        if not self.units:
            return rf"^(?P<sign>[+-]?)(?P<after>)(?P<core>{core})$"
        prefix = rf"(?P<prefix>{_WORD}{{0,4}})\s*(?P<after>[+-]?)"
        # The sign stands before or after the currency: -$5 and $-5.
        return rf"^(?P<sign>[+-]?)\s*{prefix}(?P<core>{core})\s*(?P<suffix>(?:{_UNIT})?)$"

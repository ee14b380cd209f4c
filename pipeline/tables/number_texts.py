"""Numbers written as text, as a person or a program writes them: 1,234.5 or 1.234,5 or $1,200."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.settings.sections import Read
from pipeline.tables.table import bools, numbers

BLANKS = " \t"
PLAIN = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?)"
"""A number as float64 is written. RE2 takes time in proportion to the field, however long."""
_MINUS = "\u2212\u2013"  # minus sign and en dash
_BLANK_MARKS = " \u00a0\u202f\u2009"
_SIGNS = r"[^\d\s.,+'-]"


@dataclass(frozen=True)
class NumberTexts:
    """Reader of the numbers in a column of texts.

    decimal: the decimal mark. thousands: the mark between thousands, or None.
    missing: the texts that stand for a gap. units: True to read $1,200, 45 % and 1 234 as numbers.
    """

    decimal: str
    thousands: str | None
    missing: Sequence[str]
    units: bool = False

    @classmethod
    def of(cls, read: Read, units: bool = False) -> "NumberTexts":
        """Return the reader of a file with this dialect."""
        return cls(read.decimal, read.thousands, read.missing_texts, units)

    def read(self, texts: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the numbers, NaN for a gap, and True where a text is not a number: [rows] each.

        texts: string. Each number is the float64 nearest to what is written.
        """
        plain = self.decimal == "." and not self.units
        known = compute.if_else(self.is_gap(texts), None, texts)
        if plain and self.thousands is None:
            try:
                return numbers(known.cast(pa.float64())), np.zeros(len(texts), np.bool_)
            except pa.ArrowInvalid:
                pass
        trimmed = compute.ascii_trim(texts, BLANKS)
        known = compute.if_else(self.is_gap(trimmed), None, trimmed)
        written = self._as_plain(known)
        is_number = compute.match_substring_regex(written, f"^({PLAIN})$").fill_null(False)
        with_plus = compute.starts_with(written, "+")
        written = compute.if_else(with_plus, compute.utf8_slice_codeunits(written, 1), written)
        values = numbers(compute.if_else(is_number, written, None).cast(pa.float64()))
        wrong = compute.and_not(known.is_valid(), is_number)
        return values, bools(wrong)

    def is_gap(self, texts: pa.Array) -> pa.Array:
        """Return True where a text stands for a gap: [rows]. A null does too."""
        missing = pa.array(["", *self.missing], pa.string())
        return compute.is_in(texts.fill_null(""), value_set=missing)

    def _as_plain(self, texts: pa.Array) -> pa.Array:
        """Return the texts with a decimal point and without marks; others end with an x."""
        if not self.units and self.thousands is None and self.decimal == ".":
            return texts
        thousands = self.thousands
        mark = re.escape(thousands or "")
        if thousands == " " or (self.units and thousands is None):
            mark = f"[{_BLANK_MARKS}]"
        decimal = re.escape(self.decimal)
        if mark:
            grouped = rf"^[+-]?\d{{1,3}}({mark}\d{{3}})+({decimal}\d*)?$"
            is_grouped = compute.match_substring_regex(texts, grouped)
            without = compute.replace_substring_regex(texts, mark, "")
            texts = compute.if_else(is_grouped, without, texts)
        if self.decimal == ",":
            # A point is no decimal mark here: 2.146 is not a number.
            marked = compute.replace_substring(texts, ".", "x")
            texts = compute.replace_substring(marked, ",", ".")
        return texts

"""The marks in numbers of a table: decimal mark, marks between thousands, and units."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import pyarrow as pa
from pyarrow import compute

Form = Literal[
    "comma_groups", "one_comma_group", "decimal_comma", "point_groups", "blank_groups",
    "apostrophe_groups",
]  # fmt: skip
"""How a text writes a number that is not plain: 1,234,567 or 1,234.5; 1,234; 3,5; 1.234,5 or
1.234.567; 1 234; 1'234 ."""

_SIGN = "[+-]?"
PATTERNS: dict[Form, str] = {
    "one_comma_group": rf"^{_SIGN}[1-9]\d{{0,2}},\d{{3}}$",
    "comma_groups": rf"^{_SIGN}[1-9]\d{{0,2}}(,\d{{3}})+(\.\d*)?$",
    "decimal_comma": rf"^{_SIGN}\d*,\d+([eE][+-]?\d+)?$",
    "point_groups": rf"^{_SIGN}[1-9]\d{{0,2}}((\.\d{{3}}){{2,}}|(\.\d{{3}})+,\d*)$",
    "blank_groups": rf"^{_SIGN}[1-9]\d{{0,2}}([ \x{{a0}}\x{{202f}}\x{{2009}}]\d{{3}})+([.,]\d*)?$",
    "apostrophe_groups": rf"^{_SIGN}[1-9]\d{{0,2}}(['’]\d{{3}})+([.,]\d*)?$",
}
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def forms(texts: pa.Array, rows: pa.Array) -> Counter[str]:
    """Return the rows of each form. texts: different texts; rows: of each."""
    result: Counter[str] = Counter()
    rest = compute.is_valid(texts)
    # A currency or a per cent sign beside the number does not change its marks.
    bare = compute.replace_substring_regex(texts, r"[\s$€£¥%]+$|^[\s$€£¥]+", "")
    for form, pattern in PATTERNS.items():
        matches = compute.and_(rest, compute.match_substring_regex(bare, pattern))
        number = compute.sum(compute.if_else(matches, rows, 0)).as_py() or 0
        if number:
            result[form] = number
        rest = compute.and_not(rest, matches)
    pointed = compute.match_substring_regex(bare, r"^[+-]?\d*\.\d+$")
    three = compute.match_substring_regex(bare, r"^[+-]?[1-9]\d{0,2}\.\d{3}$")
    for name, matches in (("point", compute.and_not(pointed, three)), ("point_or_group", three)):
        if number := compute.sum(compute.if_else(matches, rows, 0)).as_py() or 0:
            result[name] = number
    plain = compute.match_substring_regex(bare, _PLAIN)
    if number := compute.sum(compute.if_else(plain, rows, 0)).as_py() or 0:
        result["plain"] = number
    large = compute.match_substring_regex(bare, r"^[+-]?\d{4,}$")
    if number := compute.sum(compute.if_else(large, rows, 0)).as_py() or 0:
        result["four_digits"] = number
    return result


def marks(
    columns: Mapping[str, Counter[str]], has_semicolons: bool = False
) -> tuple[str, str | None, str]:
    """Return the decimal mark, the mark between thousands, and what is doubtful; "" if nothing.

    columns: the forms of each column that has mostly numbers; marks have one meaning in a file.
    has_semicolons: True if they separate the fields, as where commas are decimal marks.
    """
    total: Counter[str] = Counter()
    for each in columns.values():
        total.update(each)
    points = total["point"] + total["comma_groups"]
    if total["decimal_comma"] + total["point_groups"] > points and total["decimal_comma"]:
        grouped = total["point_groups"] or (total["point_or_group"] and not total["point"])
        return ",", "." if grouped else (" " if total["blank_groups"] else None), ""
    if total["point_groups"] and not total["comma_groups"] and not total["point"]:
        return ",", ".", ""
    if total["comma_groups"]:
        return ".", ",", ""
    if total["one_comma_group"]:
        sure = points or any(
            each["one_comma_group"] and each["plain"] and not each["four_digits"]
            for each in columns.values()
        )
        if has_semicolons and not sure:
            return ",", None, "could divide thousands as well: 1,234 is 1.234 or 1234"
        doubt = "" if sure else "could be decimal commas as well: 1,234 is 1234 or 1.234"
        return ".", ",", doubt
    if total["blank_groups"]:
        return ".", " ", ""
    return ".", "'" if total["apostrophe_groups"] else None, ""

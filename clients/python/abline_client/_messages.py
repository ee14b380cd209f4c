"""Parts of messages: names, numbers with their nouns, and what may have been meant."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2 rows"."""
    return f"{number} {noun}" + "s" * (number != 1)


def shown(names: Iterable[Any]) -> str:
    """Return names for a message: the first ten, control characters escaped."""
    texts = [
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
        for name in names
    ]
    return ", ".join(texts[:10]) + ", …" * (len(texts) > 10)


def no_column(missing: Sequence[str], there: Sequence[Any]) -> str:
    """Return a message: the missing columns, the columns that are there, and likely matches."""
    near = [hint for name in missing[:3] if (hint := likely(name, there))]
    first = "there is no column" if len(missing) == 1 else "there are no columns"
    return "; ".join([f"{first} {shown(missing)}", f"found {shown(there)}", *near])


def likely(name: str, there: Sequence[Any]) -> str:
    """Return which of the names in `there` may be meant for `name`; "" if none is like it."""
    if same := [each for each in there if _normal(each) == _normal(name)]:
        return (
            f"{shown(same)} looks the same but is written with other characters"
            " (unicodedata.normalize makes them equal)"
        )
    if near := nearest(name, there):
        return f"is {shown([near])} meant for {shown([name])}?"
    return ""


def nearest(name: str, there: Sequence[Any]) -> str | None:
    """Return the name in `there` that is most like `name`, in any case; None if none is."""
    by_case = {str(each).casefold(): str(each) for each in there}
    close = difflib.get_close_matches(name.casefold(), by_case, 1)
    return by_case[close[0]] if close else None


def _normal(name: Any) -> str:
    return unicodedata.normalize("NFC", str(name))

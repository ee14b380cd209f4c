"""Values of a contract: each is returned if it is of the right form, or refused with its place.

Each function takes the value and `where` it is, such as "outputs[0].name".
Raises ValueError with what is there and what is allowed.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NoReturn

from abline_client._messages import shown


def an_object(value: Any, where: str) -> dict[str, Any]:
    """Return an object."""
    return value if isinstance(value, dict) else refuse(where, value, "an object")


def a_list(value: Any, where: str, *, empty: bool = False) -> list[Any]:
    """Return a list. empty: True if it may be empty."""
    if isinstance(value, list) and (value or empty):
        return value
    return refuse(where, value, "a list" if empty else "a list that is not empty")


def a_text(value: Any, where: str) -> str:
    """Return a text."""
    return value if isinstance(value, str) else refuse(where, value, "text")


def one_of(value: Any, allowed: tuple[str, ...], where: str) -> str:
    """Return a text that is allowed."""
    if isinstance(value, str) and value in allowed:
        return value
    return refuse(where, value, " or ".join(allowed))


def a_shape(value: Any, columns: int, where: str) -> None:
    """Check a shape of two dimensions."""
    if value != ["batch", columns] or isinstance(value[1], bool):
        refuse(where, value, f'["batch", {columns}]')


def a_number(value: Any, where: str) -> float:
    """Return a finite number as a float."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if math.isfinite(number):
            return number
    return refuse(where, value, "a finite number")


def an_integer(value: Any, where: str, least: int = -(2**63), most: int = 2**63 - 1) -> int:
    """Return an integer from `least` to `most`."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    return refuse(where, value, "an integer" if least < 0 else f"an integer from {least}")


def a_boolean(value: Any, where: str) -> bool:
    """Return true or false."""
    return value if isinstance(value, bool) else refuse(where, value, "true or false")


def different(names: Sequence[str], where: str) -> None:
    """Check that no name is there twice."""
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"{where}: found {shown(twice)} twice")


def no_constant(text: str) -> NoReturn:
    """Refuse NaN, Infinity and -Infinity, which Python's parser would take."""
    raise ValueError(f"found {text}, which is no JSON")


def refuse(where: str, value: Any, allowed: str) -> NoReturn:
    """Raise ValueError for a value that is not what is allowed."""
    raise ValueError(f"{shown([where])}: found {short(value)}, must be {allowed}")


def short(value: Any) -> str:
    """Return a value of a contract for a message."""
    try:
        text = json.dumps(value, separators=(",", ":"))
    except (ValueError, RecursionError):  # an integer of thousands of digits, or as many brackets
        text = "something huge"
    return text if len(text) <= 60 else text[:59] + "…"

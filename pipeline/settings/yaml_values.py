"""Values as YAML text in one line, which every parser reads as the same value."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.settings import terminal

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*([ ./-][A-Za-z0-9_]+)*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}


def flow(item: Any) -> str:
    """Return a value in one line."""
    if isinstance(item, Mapping):
        pairs = ", ".join(f"{flow(name)}: {flow(each)}" for name, each in item.items())
        return f"{{{pairs}}}"
    if isinstance(item, list | tuple):
        return f"[{', '.join(map(flow, item))}]"
    if item is None or isinstance(item, bool):
        return {None: "null", True: "true", False: "false"}[item]
    return text(item) if isinstance(item, str) else repr(item)


def text(string: str) -> str:
    """Return a text in quotes, or without if it means the same to every parser."""
    if _PLAIN.fullmatch(string) and string.lower() not in _WORDS:
        return string
    hidden = terminal.invisible(string)
    escaped = "".join(
        f"\\U{ord(each):08x}" if each in hidden or not (each.isprintable() or each == " ")
        else f"\\{each}" if each in '"\\' else each
        for each in string
    )  # fmt: skip
    return f'"{escaped}"'

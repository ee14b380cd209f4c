"""Markdown text: tables, and names that appear as they are."""

import re
from collections.abc import Iterable, Iterator, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a table."""
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def text(name: str) -> str:
    """Return `name` as text, with a backslash before what Markdown would take for markup."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|~$&" else letter for letter in name)


def code(name: str) -> str:
    """Return `name` as code, between more backticks than it has itself."""
    longest = max((len(run) for run in re.findall("`+", name)), default=0)
    fence = "`" * (longest + 1)
    pad = " " * (longest > 0)
    return f"{fence}{pad}{name}{pad}{fence}"

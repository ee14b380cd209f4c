"""How a text file is written: comments, titles, separator, names and footer, from its two ends."""

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.settings.keys.sections import Read
from pipeline.tables.column_names import same_name

Separator = str
MOST_RECORDS = 2_000
_COMMENTS = ("#", "%", "//")
_CHARACTERS = ("\t", ";", "|", ",")
"""In the order of preference: commas are in numbers, too."""
_TOTAL = re.compile(r"(grand |sub-?)?totals?:?|sums?:?|average:?|mean:?|overall:?", re.I)
NUMBER = re.compile(r"[$€£¥]?\s*[+-−]?\s*[$€£¥]?(\d[\d.,'  ]*|[.,]\d+)([eE][+-]?\d+)?\s*[%$€£¥]?")


@dataclass(frozen=True)
class Dialect:
    """How a text file is written, except for the marks in its numbers.

    separator: as in Read, never auto. is_auto: True if `auto` finds it. width: fields of a row.
    first: the fields of the first row, which are the names if there is a header.
    rows: some rows after it. comments: lines that are comments, at the beginning.
    """

    separator: Separator
    is_auto: bool
    width: int
    header: bool
    comment: str | None
    comments: int
    skip_lines: int
    footer: tuple[str, ...]
    first: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def read(self, encoding: str) -> Read:
        """Return the settings for the file."""
        return Read.usual().model_copy(
            update={
                "separator": "auto" if self.is_auto else self.separator,
                "encoding": encoding,
                "header": self.header,
                "comment": self.comment,
                "skip_lines": self.skip_lines,
                "footer_lines": len(self.footer),
            }
        )


def sniff(head: str, tail: str, targets: Sequence[str]) -> Dialect:
    """Return the dialect of a text. head, tail: its beginning and its end, in whole lines.

    targets: names of columns; a first line that has them is a header.
    """
    lines = re.sub(r"\A\"?sep=.\"?\s*\n", "", head.replace("\r\n", "\n").replace("\r", "\n"))
    comment, comments, lines = _without_comments(lines)
    separator, width, records = _separator(lines)
    skip = 0
    # A title has fewer fields than a row; names may lack the one of row labels.
    while skip < min(len(records) - 1, 20) and 0 < len(records[skip]) < max(2, width - 1):
        skip += 1
    rest = [tuple(record) for record in records[skip:]]
    first = rest[0] if rest else ()
    footer = _footer(tail, separator, width, comment)
    rows = [row for row in rest[1:] if len(row) == width] or [()]
    titles = _lines_of_titles(head, skip, comment)
    return Dialect(
        separator=separator,
        is_auto=skip == 0 and separator == _auto(lines),
        width=width,
        header=has_header(first, rows[:200], targets),
        comment=comment,
        comments=comments,
        skip_lines=titles,
        footer=footer,
        first=first,
        rows=tuple(rows[:200]),
    )


def _lines_of_titles(head: str, titles: int, comment: str | None) -> int:
    """Return the number of lines, empty ones and comments included, that the titles take."""
    number = 0
    for line in re.split(r"\r\n?|\n", head):
        if not titles:
            break
        titles -= bool(line.strip()) and not (comment and line.startswith(comment))
        number += 1
    return number


def _without_comments(text: str) -> tuple[str | None, int, str]:
    """Return the mark of comment lines or None, their number at the beginning, and other lines."""
    lines = [line for line in text.split("\n") if line.strip()]
    for mark in _COMMENTS:
        number = next((n for n, line in enumerate(lines) if not line.startswith(mark)), 0)
        if number == 1 and len(lines) > 1:
            # A first line `#a,b` with as many fields as the second has the names.
            widths = {len(re.split(r"[,;\t|]", line)) for line in lines[:2]}
            if len(widths) == 1 and widths != {1}:
                continue
        if number and _are_rows([line for line in lines[number:] if line.startswith(mark)], lines):
            continue
        if number:
            kept = [line for line in lines if not line.startswith(mark)]
            return mark, number, "\n".join(kept) + "\n"
    return None, 0, text


def _are_rows(marked: Sequence[str], lines: Sequence[str]) -> bool:
    """Return True if lines that begin with a mark have as many fields as most lines."""
    widths = [len(re.split(r"[,;\t|]", line)) for line in lines]
    ((usual, _),) = Counter(widths).most_common(1)
    return usual > 1 and any(len(re.split(r"[,;\t|]", line)) == usual for line in marked)


def _separator(text: str) -> tuple[Separator, int, list[list[str]]]:
    """Return the separator, the number of fields of most rows, and the first rows."""
    candidates = []
    for order, separator in enumerate(_CHARACTERS):
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        records = _first_records(reader)
        width, share = _usual_width(records)
        if width > 1:
            has_names = any(abs(len(record) - width) <= 1 for record in records[:1])
            candidates.append((share > 0.95, has_names, share, -order, separator, width, records))
    lines = [line for line in text.split("\n", MOST_RECORDS)[:MOST_RECORDS] if line.strip()]
    blank = [re.findall(r'"[^"]*"|\S+', line) for line in lines]
    width, share = _usual_width(blank)
    best = max(candidates, default=None)
    if width > 1 and share > 0.95 and (best is None or best[:2] < (True, True)):
        return "blank", width, blank
    if best is None:
        return ",", 1, [[line] for line in text.split("\n", MOST_RECORDS)[:MOST_RECORDS] if line]
    return best[4], best[5], best[6]


def _first_records(reader: "csv._reader") -> list[list[str]]:  # type: ignore[name-defined]
    records: list[list[str]] = []
    try:
        for record in reader:
            if record:
                records.append(record)
            if len(records) == MOST_RECORDS:
                break
    except csv.Error:  # a NUL, a field that is far too long
        pass
    return records


def _usual_width(records: Sequence[Sequence[str]]) -> tuple[int, float]:
    """Return the number of fields of most rows, and their share of the rows."""
    if not records:
        return 0, 0.0
    (width, number), *_ = Counter(map(len, records)).most_common(1)
    return width, number / len(records)


def _auto(text: str) -> Separator:
    """Return the separator that data.read.separator: auto takes."""
    line = re.sub(r'"[^"]*"', "", next((line for line in text.split("\n") if line.strip()), ""))
    return max((",", ";", "\t", "|"), key=line.count)


def _footer(tail: str, separator: Separator, width: int, comment: str | None) -> tuple[str, ...]:
    """Return the lines at the end that have fewer fields than a row, or that are a total."""
    lines = [line for line in re.split(r"\r\n?|\n", tail) if line.strip()]
    footer: list[str] = []
    for line in reversed(lines[2:]):
        if separator == "blank":
            fields = line.split()
        else:
            fields = next(iter(csv.reader([line], delimiter=separator)), [])
        is_comment = comment is not None and line.startswith(comment)
        # A total is a row only where others have the word, too.
        words = [field.strip() for field in fields if _TOTAL.fullmatch(field.strip())]
        is_total = not footer and any("\n".join(lines).count(word) == 1 for word in words)
        is_long = len(fields) >= max(2, width - 1) and not is_total
        if is_comment or is_long or '"' in line or len(footer) == 50:
            break
        footer.insert(0, line)
    return tuple(footer) if width > 1 else ()


def has_header(first: Sequence[str], rows: Sequence[Sequence[str]], targets: Sequence[str]) -> bool:
    """Return True if the first row has the names of the columns."""
    names = [same_name(field.strip()) for field in first]
    words = [name for name in names if not NUMBER.fullmatch(name)]
    if any(same_name(target) in words for target in targets):
        return True
    numbers = [name for name in names if NUMBER.fullmatch(name)]
    if not numbers or 2 * len(numbers) < len([name for name in names if name]):
        return True
    # Years or numbers in order, above rows that are not, are names: country, 1990, 1991, 1992.
    steps = {int(b) - int(a) for a, b in itertools.pairwise(numbers)
             if a.isdigit() and b.isdigit()}  # fmt: skip
    in_order = len(numbers) > 2 and all(map(str.isdigit, numbers)) and len(steps) == 1
    return in_order and bool(words) and 0 not in steps and any("." in "".join(row) for row in rows)

"""Names of a table's columns: names that read the same, and checks that a file has each of them."""

import difflib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.settings import terminal, yaml_values
from pipeline.settings.errors import UserError
from pipeline.settings.keys.term_text import FUNCTION
from pipeline.settings.messages import first_of, show
from pipeline.tables.raw_file import RawFile

LONGEST_NAME_CHARACTERS = 200  # as of sections.Name, the type of the names in params.yaml


def same_name(name: str) -> str:
    """Return a form that is equal for names that read the same: é is one character, or two."""
    return unicodedata.normalize("NFC", name)


def with_names_for_all(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names; a column without one is called c1, c2 and so on, by its place.

    If another column has that name, the column stays without one.
    """
    taken = set(names)
    named = (
        name or f"c{place}" if f"c{place}" not in taken else name
        for place, name in enumerate(names, 1)
    )
    return tuple(named)


def check_there(file: RawFile, key: str, names: Sequence[str], first: RawFile) -> None:
    """Raise UserError if the file does not have each of `names` once.

    key: where the names come from, for messages. first: the first file of the table.
    """
    counts = Counter(file.names)
    for name in names:
        if not counts[name]:
            raise UserError(_no_column(file, key, name, first))
    if repeated := {name: counts[name] for name in names if counts[name] > 1}:
        raise UserError(_repeated(file, repeated))


def check_all_there(file: RawFile, names: Mapping[str, str], first: RawFile) -> None:
    """Raise UserError with each of `names` that the file does not have once, by its key."""
    messages = []
    for key, name in names.items():
        try:
            check_there(file, key, [name], first)
        except UserError as error:
            messages.append(str(error))
    if messages:
        raise UserError("\n".join(messages))


def check_excluded(file: RawFile, names: Sequence[str]) -> None:
    """Raise UserError if the file does not have each of data.exclude; once or more often."""
    for name in names:
        if name not in file.names:
            raise UserError(_no_column(file, "data.exclude", name, file))


def check_target_is_no_value(file: RawFile, targets: Sequence[str]) -> None:
    """Raise UserError if a target's name seems to be a value of the first row.

    Years as names are no reason.
    """
    heading = file.heading
    numbers = [name for name in file.names if _is_number(name)]
    if heading is None or 2 * len(numbers) < len(file.names):
        return
    if all(re.fullmatch(r"[12]\d{3}", name) for name in numbers):
        return
    if named := [name for name in targets if name in numbers]:
        raise UserError(
            f"data.targets: {show(named[0])} is a number, and so are other fields of the first line"
            f" of {file.path}, {first_of([show(name) for name in numbers], 5)}: if it is a row, not"
            f" names, {_no_header(file)}; else give the columns other names"
        )


def check_all(file: RawFile, targets: Sequence[str], exclude: Sequence[str]) -> None:
    """Raise UserError for names that a feature cannot have.

    All columns except `targets` and `exclude` are features.
    """
    names = [name for name in file.names if name not in {*targets, *exclude}]
    if not names:
        raise UserError(f"{file.path}: found only targets; a model needs a feature as well")
    if unnamed := [place for place, name in enumerate(file.names, 1) if not name]:
        raise UserError(
            f"{file.path}: found no name for column {unnamed[0]}, and another column is called"
            f" c{unnamed[0]}; name the column"
        )
    if index := [name for name in names if name.startswith("__index_level_")]:
        raise UserError(
            f"{file.path}: found {first_of([show(name) for name in index], 5)}, which may be row"
            " labels (pandas writes none with index=False); leave it out: `exclude:"
            f" {yaml_values.flow([*exclude, *index])}` in params.yaml, under data"
        )
    if hidden := [
        name
        for name in dict.fromkeys(names)
        if len(name) > LONGEST_NAME_CHARACTERS or terminal.invisible(name)
    ]:
        cures = ", or write `header: false` and `skip_lines: 1` under data: read:, and they are"
        raise UserError(
            f"{file.path}: found a column {first_of([show(name) for name in hidden], 5)}; a name"
            f" must have at most {LONGEST_NAME_CHARACTERS} characters and no invisible one, such as"
            f" a line end or a tab; rename it{f'{cures} c1, c2, …' if file.heading else ''}"
        )
    counts = Counter(names)
    if repeated := {name: n for name, n in counts.items() if n > 1}:
        raise UserError(_repeated(file, repeated))


def _repeated(file: RawFile, counts: Mapping[str, int]) -> str:
    """Return the message for names that occur more than once."""
    shown = first_of([f"{number} columns {show(name)}" for name, number in counts.items()], 5)
    cure = "rename all but one"
    if file.heading is not None:
        cure += (
            ", or write `header: false` and `skip_lines: 1` in params.yaml, under data: read:, and"
            " the columns are c1, c2, …"
        )
    return f"{file.path}: found {shown}; {cure}"


def _no_header(file: RawFile) -> str:
    """Return the advice for a file without a line of names."""
    return (
        "write `header: false` in params.yaml, under data: read:, and the columns are c1 to"
        f" c{len(file.names)}"
    )


def _no_column(file: RawFile, key: str, name: str, first: RawFile) -> str:
    """Return the message for a file that has no column `name`."""
    text = f"{file.path}: found no column {show(name)}"
    if file is not first and name in first.names:
        return f"{text}, which {first.path} has; give all files of a glob the same columns"
    text += f" ({key})"
    names = [show(other) for other in file.names]
    shown = first_of(names, 8)
    function = FUNCTION.fullmatch(name)
    if function and "log" in function[1] and (of := function[2].strip()) in file.names:
        if key == "data.targets":
            return (
                f"{text}; the natural logarithm of a target is written `targets: {{{of}: log}}`,"
                f" and the answers are in the unit of {show(of)}"
            )
        return (
            f"{text}; a feature keeps the name of its column, and `terms: [log({of})]` under data:"
            " adds its natural logarithm"
        )
    if file.heading is not None and file.heading.text:
        if file.names[0].startswith(("#", "%", "//")):
            mark = file.names[0][:2] if file.names[0].startswith("//") else file.names[0][:1]
            return (
                f"{text}; its first line must name the columns, and is {shown}; if it is a comment,"
                f" write `comment: {show(mark)}` in params.yaml, under data: read:"
            )
        if any(map(_is_number, file.names)):
            return (
                f"{text}; its first line must name the columns, and is {shown}; if it is a row of"
                f" values, {_no_header(file)}"
            )
        if len(names) == 1:
            cure = "names must be separated by commas, semicolons, tabs or |"
            if re.search(r"\S[ \t]+\S", file.names[0]):
                cure += "; if by blanks, write `separator: blank` in params.yaml, under data: read:"
            return f"{text}; its first line is {shown}; {cure}"
    alike = {_plain(other): other for other in file.names}
    near = alike.get(_plain(name))
    near = near or next(iter(difflib.get_close_matches(name, file.names, 1)), None)
    if near and _plain(near, fold=False) == _plain(name, fold=False):
        # Only the escaped characters show the difference.
        return f"{text}; it has {json.dumps(near)}, which only looks the same; copy that name"
    return f"{text}; {f'did you mean {show(near)}? ' if near else ''}it has {shown}"


def _plain(name: str, fold: bool = True) -> str:
    """Return a name without invisible differences and, with `fold`, without upper case."""
    text = " ".join(unicodedata.normalize("NFKC", name).split())
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
    return text.casefold() if fold else text


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True

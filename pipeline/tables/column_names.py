"""Names of a table's columns: names that read the same, and checks that a file has each of them."""

import difflib
import json
import unicodedata
from collections import Counter
from collections.abc import Sequence

from pipeline.settings import terminal
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of, show
from pipeline.tables.advice import yaml_flow
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
        if counts[name] > 1:
            raise UserError(
                f"{file.path}: found {counts[name]} columns {show(name)}; rename all but one"
            )


def check_all(file: RawFile, targets: Sequence[str]) -> None:
    """Raise UserError for a name that a feature cannot have: all columns except `targets` are."""
    wrong: dict[str, str] = {}  # what is wrong, by name
    for index, name in enumerate(file.names):
        if not name and not any(file.names[index:]):
            wrong[name] = f"no name for column {index + 1}: the first line ends with a separator"
        elif not name or name.startswith("__index_level_"):
            wrong[name] = (
                f"{f'the name {show(name)}' if name else 'no name'} for column {index + 1}, which"
                " may be row labels (pandas writes none with index=False, R with row.names=FALSE)"
            )
        elif len(name) > LONGEST_NAME_CHARACTERS or terminal.invisible(name):
            wrong[name] = (
                f"a column {show(name)}; a name must have at most {LONGEST_NAME_CHARACTERS}"
                " characters and no invisible one, such as a line end or a tab; rename it"
            )
    if wrong:
        cure = f"leave it out: `exclude: {yaml_flow([*wrong])}` in params.yaml, under data"
        (first_wrong, *_) = wrong.values()
        joint = ", or" if first_wrong.endswith("rename it") else ";"
        raise UserError(f"{file.path}: found {first_wrong}{joint} {cure}")
    if all(name in targets for name in file.names):
        raise UserError(f"{file.path}: found only targets; a model needs a feature as well")


def _no_column(file: RawFile, key: str, name: str, first: RawFile) -> str:
    """Return the message for a file that has no column `name`."""
    text = f"{file.path}: found no column {show(name)}"
    if file is not first and name in first.names:
        return f"{text}, which {first.path} has; give all files of a glob the same columns"
    text += f" ({key})"
    names = [show(other) for other in file.names]
    shown = first_of(names, 8)
    if file.heading is not None:
        if 2 * sum(map(_is_number, file.names)) >= len(names):
            return f"{text}; its first line must name the columns, and is {shown}"
        if file.names[0].startswith("#"):
            return (
                f"{text}; its first line must name the columns, and is {shown}; remove the comment"
                " lines"
            )
        if len(names) == 1:
            return (
                f"{text}; its first line is {shown}; names must be separated by commas, semicolons"
                " or tabs"
            )
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

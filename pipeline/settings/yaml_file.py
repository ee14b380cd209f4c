"""YAML as DVC reads and writes it, with the line of each key for messages.

DVC reads YAML 1.2 (ruamel.yaml), PyYAML by default YAML 1.1: `NO`, `on` and `12:30` are text in
1.2, and booleans and numbers in 1.1; `043` is 43 in 1.2 and 35 in 1.1. If a stage read another
value than DVC, DVC would record the result under a value that did not make it. So the types here
are DVC's. The text may come from a stranger's commit: its size and nesting are checked before any
value is built.
"""

import functools
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import yaml

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError

Key = tuple[str | int, ...]
"""The path to a value through mappings and lists: ("train", "lr")."""

LARGEST_YAML_BYTES = 10_000_000  # a result of 10,000 columns has a dvc.lock of less than a tenth
DEEPEST_NESTING = 100  # at some ten thousand, the parsers of DVC and PyYAML crash the process
MOST_VALUES = 1_000_000  # in one file: about ten seconds
# Values that aliases repeat: three kilobytes of aliases of aliases can mean billions of values.
MOST_REPEATED_VALUES = 100_000
MOST_DIGITS = 1_000  # of one number; Python refuses 4,300


def text_of(path: Path) -> str:
    """Return the text of a YAML file.

    Raises UserError if it cannot be read, is not UTF-8, or is larger than LARGEST_YAML_BYTES.
    """
    try:
        with regular_file.opened(path) as file:
            content = file.read(LARGEST_YAML_BYTES + 1)
    except FileNotFoundError:
        raise UserError(
            f"{path}: there is no such file in {Path.cwd()}; run from the repository's root"
        ) from None
    except OSError as error:
        raise UserError(
            f"{path}: it cannot be read ({error.strerror}); make it readable, e.g. `chmod u+r"
            f" {path}`"
        ) from None
    if len(content) > LARGEST_YAML_BYTES:
        raise UserError(f"{path}: {_TOO_LARGE}")
    return regular_file.decoded(content, path)


def read(text: str, path: Path) -> tuple[Any, Callable[[Key], str]]:
    """Return the value of a YAML text, and a function from a key to its line: ":12".

    path: the file's name, for messages. Raises UserError if the text is not valid YAML, if a key is
    there twice, or if it would need far more memory than a file of this repository.
    """
    try:
        _check_size(text)
        value = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        problem = str(error.problem or error)
        # The parser notices an open quote or a missing colon only some lines later.
        late = error.context_mark and ("end of stream" in problem or "expected ':'" in problem)
        mark = error.context_mark if late else error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        cure = next((cure for sign, cure in _CURES.items() if sign in problem), "")
        raise UserError(f"{place}: not valid YAML: {problem}{cure}") from None
    except yaml.reader.ReaderError as error:
        line = text[: text.find(chr(error.character))].count("\n") + 1
        raise UserError(
            f"{path}:{line}: not valid YAML: {error.reason} (U+{error.character:04X})"
        ) from None
    except _RefusedError as error:
        raise UserError(f"{path}{error}") from None
    except UnicodeEncodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error.reason})") from None

    @functools.cache
    def tree() -> yaml.Node | None:
        """Return the nodes with their lines, which only a message needs."""
        return yaml.compose(text, _Loader)

    return value, lambda key: _line(tree(), key)


_KEEP_TABLES = "keep tables in files under data/raw/ and name them in data.source"
_TOO_LARGE = f"larger than {LARGEST_YAML_BYTES // 1_000_000} MB; {_KEEP_TABLES}"
_CURES = {
    "expected ':'": ", as in `lr: 0.01`",
    "cannot start any token": "; indent with spaces, not with a tab, and put text that begins with"
    " a sign such as @ or % in quotes",
    "did not find expected key": "; indent the line as its neighbours are, and write a key as"
    " `lr: 0.01`",
    "mapping values are not allowed": "; put text that has a colon in it in quotes, and indent the"
    " line as its neighbours are",
    "end of stream": "; a quote or a bracket that opens here is never closed",
}


class _RefusedError(Exception):
    """Refusal of valid YAML; its text begins with the place: ":12: ..."."""


def at(content: Any, key: str) -> Any:
    """Return the value of a dotted key; Ellipsis, which no YAML has, if the key is not there."""
    for part in key.split("."):
        content = content.get(part, ...) if isinstance(content, dict) else ...
    return content


def _check_size(text: str) -> None:
    """Refuse a text that would overflow the stack or the memory, before any value is built.

    Raises _RefusedError, or an exception of PyYAML if the text is not valid.
    """
    if len(text) > LARGEST_YAML_BYTES:
        raise _RefusedError(f": {_TOO_LARGE}")
    count = repeated = 0
    sizes: dict[str, int] = {}  # number of values of each anchor, values of its aliases included
    unfinished: list[tuple[str | None, int]] = []  # anchor of each open collection, count before it
    for event in yaml.parse(text, yaml.CSafeLoader):
        count += 1
        if count > MOST_VALUES:
            raise _RefusedError(f": more than {MOST_VALUES:,} values; {_KEEP_TABLES}")
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            unfinished.append((event.anchor, count - 1))
            if len(unfinished) > DEEPEST_NESTING:
                raise _RefusedError(
                    f":{_number(event)}: found more than {DEEPEST_NESTING} lists or mappings"
                    " inside each other; close the brackets that are open"
                )
        elif isinstance(event, yaml.CollectionEndEvent):
            count -= 1
            anchor, before = unfinished.pop()
            if anchor:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in unfinished):
                raise _RefusedError(
                    f":{_number(event)}: found *{event.anchor} inside the value that it repeats"
                )
            size = sizes.get(str(event.anchor), 0)
            repeated, count = repeated + size, count + size
            if repeated > MOST_REPEATED_VALUES:
                raise _RefusedError(
                    f":{_number(event)}: *{event.anchor} and the aliases before it repeat more than"
                    f" {MOST_REPEATED_VALUES:,} values; write out what is meant"
                )


def _number(event: yaml.Event) -> int:
    """Return the number of the line in which an event begins."""
    assert event.start_mark is not None
    return event.start_mark.line + 1


class _Loader(yaml.CSafeLoader):
    """Loader with the types of DVC, which refuses repeated keys."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[str, int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in first:
                raise _RefusedError(
                    f":{line}: '{key.value}' is there already, in line {first[key.value]};"
                    " keep one of them"
                )
            first[key.value] = line
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            # `!!int x`, `!!timestamp x`, 2020-13-45: PyYAML raises another exception for each type.
            kind = str(node.tag).rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                None, None, f"the value cannot be read as {kind}", node.start_mark
            ) from None

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        text = str(self.construct_scalar(node)).replace("_", "").lower()
        if len(text) > MOST_DIGITS:
            raise yaml.constructor.ConstructorError(
                None, None, f"a number of {len(text):,} digits", node.start_mark
            )
        # 0o17 is octal, 0x1f hexadecimal, 0b11 binary, and 043 is 43.
        prefix = text.lstrip("+-")[:2]
        return int(text, 0 if prefix in ("0b", "0o", "0x") else 10)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        text = str(self.construct_scalar(node)).replace("_", "").lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


_DIGITS = "0123456789"
# The types of plain text in DVC's parser for YAML 1.2: name, pattern, first letters.
for _kind, _pattern, _begins in (
    ("bool", "true|True|TRUE|false|False|FALSE", list("tTfF")),
    (
        "float",
        r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
        r"|[-+]?\.[0-9_]+([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+." + _DIGITS),
    ),
    (
        "int",
        r"[-+]?0b[01_]+|[-+]?0o[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+",
        list("-+" + _DIGITS),
    ),
    ("merge", "<<", ["<"]),
    ("null", "~|null|Null|NULL|", [*"~nN", ""]),
    (
        "timestamp",
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}"
        r":[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?",
        list(_DIGITS),
    ),
    ("value", "=", ["="]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_kind}", re.compile(f"({_pattern})\\Z"), _begins
    )
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)


def _line(node: yaml.Node | None, key: Key) -> str:
    """Return the line of `key`, or of its innermost parent in the file: ":12"; "" without one."""
    line = None
    for part in key:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return "" if line is None else f":{line + 1}"

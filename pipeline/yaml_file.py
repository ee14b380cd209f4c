"""YAML as DVC writes it, with the line of each key for messages."""

import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import yaml

from pipeline import UserError

Key = tuple[str | int, ...]
"""The way to a value through mappings and lists: ("train", "lr")."""


def read(text: str, path: Path) -> tuple[Any, Callable[[Key], str]]:
    """The value of a YAML text, and a function that says where a key stands in it: ":12".

    path: the file's name, for messages. Raises UserError if the text is not valid YAML, or if a key
    is there twice.
    """
    try:
        node = yaml.compose(text, _Loader)
        value = yaml.load(text, _Loader)
    except _RepeatedKeyError as error:
        raise UserError(f"{path}:{error}") from None
    except yaml.MarkedYAMLError as error:
        problem = str(error.problem or error)
        # A quote that is never closed and a colon that is not there are noticed only further on.
        late = error.context_mark and ("end of stream" in problem or "expected ':'" in problem)
        mark = error.context_mark if late else error.problem_mark
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        cure = next((cure for sign, cure in _CURES.items() if sign in problem), "")
        raise UserError(f"{place}: not valid YAML: {problem}{cure}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{path}: not valid YAML: {error}") from None
    return value, lambda key: _line(node, key)


_CURES = {
    "expected ':'": ", as in `lr: 0.01`",
    "'\\t'": "; indent with spaces, not with a tab",
    "expected <block end>": "; indent the line as its neighbours are",
    "end of stream": "; a quote or a bracket that opens here is never closed",
}


class _RepeatedKeyError(Exception):
    """A key that is in a mapping twice, of which YAML would silently keep the last."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it, but with the floats of YAML 1.2 and no repeated keys.

    DVC writes `-S train.lr=0.000001` as `1e-06`, which PyYAML alone takes for a string.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        first: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value in first:
                raise _RepeatedKeyError(
                    f"{line}: '{key.value}' is there already, in line {first[key.value]};"
                    " keep one of them"
                )
            first[key.value] = line
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def _line(node: yaml.Node | None, key: Key) -> str:
    """Where in the file `key` stands, or its innermost parent that is there: ":12"."""
    line = None
    for part in key:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == part), None)
            if found is None:
                break
            line, node = found[0].start_mark.line, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
            line = node.start_mark.line
        else:
            break
    return "" if line is None else f":{line + 1}"

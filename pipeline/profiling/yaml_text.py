"""A YAML text with some values replaced: all other bytes are kept."""

import textwrap
from collections.abc import Sequence

import yaml

from pipeline.settings.yaml_file import Key

WIDTH = 100
COMMENT_COLUMN = 32


def entry(line: str, comment: str = "") -> list[str]:
    """Return the lines of an entry with its comment: behind it if it fits, else above it."""
    if not comment:
        return [line]
    beside = f"{line:<{max(COMMENT_COLUMN, len(line) + 2)}}# {comment}"
    if len(beside) <= WIDTH:
        return [beside]
    indent = line[: len(line) - len(line.lstrip())]
    words = textwrap.wrap(comment, WIDTH - len(indent) - 2, break_long_words=False)
    return [*(f"{indent}# {part}" for part in words), line]


def replaced(document: str, key: Key, new: str | Sequence[str]) -> str:
    """Return a YAML text with another value of one key, whose comment stays.

    new: the value in one line, or the lines of a block below the key, with their indentation.
    Raises KeyError if the key is not there.
    """
    newline = "\r\n" if "\r\n" in document else "\n"
    lines = document.split(newline)
    name, node = _pair(document, key)
    first, last = name.end_mark.line, _last_line(node, name)
    is_block = node.start_mark.line > first
    head = lines[first][: name.end_mark.column] + ":"
    # The comment of the key: after a block's key, or after the end of a value in the same line.
    if is_block:
        rest = lines[first][len(head) :]
    elif _is_open_block(node):
        rest = ""
    else:
        rest = lines[last][node.end_mark.column :]
        if node.start_mark == node.end_mark:  # no value at all
            rest = lines[last][len(head) :]
    comment = rest.strip()
    column = len(lines[last if not is_block else first]) - len(rest.lstrip()) if comment else 0
    begin = f"{head} {new}" if isinstance(new, str) else head
    if comment:
        begin = f"{begin:<{column}}" if len(begin) + 2 <= column else f"{begin}  "
        begin += comment
    below = [] if isinstance(new, str) else list(new)
    return newline.join([*lines[:first], begin, *below, *lines[last + 1 :]])


def _pair(document: str, key: Key) -> tuple[yaml.Node, yaml.Node]:
    """Return the nodes of a key and of its value. Raises KeyError."""
    node = yaml.compose(document, yaml.SafeLoader)
    name: yaml.Node | None = None
    for part in key:
        if not isinstance(node, yaml.MappingNode):
            raise KeyError(key)
        pair = next((pair for pair in node.value if pair[0].value == part), None)
        if pair is None:
            raise KeyError(key)
        name, node = pair
    assert name is not None
    assert node is not None
    return name, node


def _is_open_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _last_line(node: yaml.Node, name: yaml.Node) -> int:
    """Return the last line of a value: a block's end mark is at whatever follows it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        before, after = last if isinstance(last, tuple) else (name, last)
        return _last_line(after, before)
    if node.start_mark.index == node.end_mark.index:
        return name.end_mark.line
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return node.end_mark.line - 1
    return node.end_mark.line

"""Styles and groups of a small picture: a style that is repeated becomes a class.

Matplotlib writes the style of each line and letter beside it, and each in groups of their own.
"""

import re
from collections import Counter
from collections.abc import Iterator

_STYLED = re.compile(r"<(?!/|defs\b|style\b)(\w+)((?: [\w:-]+=\"[^\"]*\")* style=\"[^\"]*\"[^>]*)>")
_STYLE = re.compile(r' style="([^"]*)"')
_CLIP = re.compile(r' clip-path="([^"]*)"')
_SHEET = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.DOTALL)
_COLOUR = re.compile(r"#([0-9a-f])\1([0-9a-f])\2([0-9a-f])\3\b")
_TAG = re.compile(r"<(/?)([\w:-]+)([^>]*?)(/?)>")
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def short_name(place: int) -> str:
    """Return the name of a place: a, b, …, Z, aa, ab, ….

    >>> [short_name(place) for place in (0, 51, 52, 53)]
    ['a', 'Z', 'aa', 'ab']
    """
    first, last = divmod(place, len(LETTERS))
    return (short_name(first - 1) if first else "") + LETTERS[last]


def with_classes(text: str) -> str:
    """Return a picture whose repeated styles are classes of its style sheet; it needs one.

    Where a line is clipped is part of its style.
    """
    text = _COLOUR.sub(r"#\1\2\3", text)
    if not _SHEET.search(text):
        return text
    times = Counter(_style(match[2]) for match in _STYLED.finditer(text))
    repeated = (style for style, count in times.most_common() if count > 1)
    names = {style: short_name(place) for place, style in enumerate(repeated)}

    def named(match: re.Match[str]) -> str:
        name = names.get(_style(match[2]))
        if name is None:
            return match[0]
        attributes = _CLIP.sub("", _STYLE.sub(f' class="{name}"', match[2]))
        return f"<{match[1]}{attributes}>"

    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    text = _STYLED.sub(named, text)
    return _SHEET.sub(lambda sheet: f"{sheet[1]}{sheet[2]}{rules}{sheet[3]}", text, count=1)


def _style(attributes: str) -> str:
    style, clip = _STYLE.search(attributes), _CLIP.search(attributes)
    assert style is not None
    return style[1] + (f";clip-path:{clip[1]}" if clip else "")


def without_groups(text: str) -> str:
    """Return a picture without groups that have no attribute, which change nothing."""
    return "".join(_kept(text))


def _kept(text: str) -> Iterator[str]:
    opened: list[bool] = []
    end = 0
    for tag in _TAG.finditer(text):
        yield text[end : tag.start()]
        end = tag.end()
        is_end, name, attributes, is_empty = tag.groups()
        if name == "g" and not is_empty:
            if not is_end:
                opened.append(bool(attributes))
            if not (opened.pop() if is_end else opened[-1]):
                continue
        yield tag[0]
    yield text[end:]

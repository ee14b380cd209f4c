"""Letters of the plots: their fonts, how wide a text is, and how it is made to fit its place."""

import functools
import importlib.util
import sys
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

LATIN = "DejaVu Sans"
"""Which matplotlib ships: Latin, Greek, Cyrillic, Arabic and many signs."""

EAST_ASIAN = "WenQuanYi Micro Hei"
"""Chinese, simplified and traditional, Japanese and Korean: 34,600 characters under the Apache
licence. Of all packages with a font that has the characters of GB 2312 it is the smallest: 2.3 MB.
"""
PACKAGE, FILE = "paperang_p2_fonts_cjk", "fonts/wqy-microhei.ttc"

SIZE, SMALL, TITLE = 10.0, 9.0, 11.0
"""Points of axis labels, of ticks and legends, and of titles: a figure that is shown 600 pixels
wide has 1.3 pixels to a point."""


@contextmanager
def readable() -> Iterator[None]:
    """Draw with fonts that every machine has, whatever matplotlibrc says.

    A character that no font has is drawn as a box, without a warning for each.
    """
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from")
        mpl.rcdefaults()
        mpl.rcParams["font.family"] = list(families())
        mpl.rcParams["text.parse_math"] = False  # a column may be called price_$
        yield


@functools.cache
def families() -> tuple[str, ...]:
    """Return the fonts' names: a character is drawn with the first font that has it."""
    path = _east_asian_file()
    if path is None:
        return (LATIN,)
    fontManager.addfont(path)
    return LATIN, EAST_ASIAN


def _east_asian_file() -> Path | None:
    package = importlib.util.find_spec(PACKAGE)  # it has a font and no code
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / FILE
    return path if path.is_file() else None


def undrawn(text: str) -> str:
    """Return the characters of a text that no font has, each once."""
    return "".join(c for c in dict.fromkeys(text) if c.isprintable() and not _has(c))


@functools.cache
def _has(character: str) -> bool:
    return any(font.get_char_index(ord(character)) for font in _fonts())


@functools.cache
def _fonts() -> tuple[FT2Font, ...]:
    return tuple(get_font(findfont(FontProperties(family=[name]))) for name in families())


def warn_of_boxes(names: Sequence[str]) -> None:
    """Say on stderr which characters of these names will be boxes, and how they become letters."""
    missing = undrawn("".join(names))
    if not missing:
        return
    cure = "no font that the pipeline has shows them"
    if EAST_ASIAN not in families():
        cure = (
            "`pip install -r requirements.txt` brings a Chinese font, then `dvc repro -f evaluate`"
        )
    shown = "".join(missing[:10]) + "…" * (len(missing) > 10)
    print(f"warning: the plots have boxes in place of {shown}; {cure}", file=sys.stderr)


@functools.lru_cache(10_000)
def width(text: str, size: float = SMALL) -> float:
    """Return the width of a text in points. size: of its letters."""
    with readable():
        font = FontProperties(family=list(families()), size=size)
        points: float = text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]
    return points


def short(text: str, most: float = 170.0, size: float = SMALL) -> str:
    """Return a text, without its middle if it is wider: long names often differ at their ends.

    most: points that there is room for.
    """
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    if width(text, size) <= most:
        return text
    low, high = 1, min(len(text), 500)  # low characters fit, high do not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if width(_cut(text, middle), size) <= most else (low, middle)
    return _cut(text, low)


def _cut(text: str, count: int) -> str:
    """Return the first two thirds and the last third of `count` characters."""
    end = count // 3
    return f"{text[: count - end]}…{text[len(text) - end :]}"


def lines(text: str, most: float, size: float = SMALL) -> str:
    """Return a text in lines of at most `most` points each."""
    result: list[str] = []
    for line in text.split("\n"):
        words = [short(word, most, size) for word in line.split(" ")]
        result.append(words[0])
        for word in words[1:]:
            longer = f"{result[-1]} {word}"
            if width(longer, size) <= most:
                result[-1] = longer
            else:
                result.append(word)
    return "\n".join(result)

"""A picture of reports/plots in half its bytes, for a page that has its pictures inside.

The eye sees no difference: places keep a tenth of a point, comments and metadata go, ids are short,
and a curve loses the corners that lie on the line between their neighbours. `svg_file` has made one
path of the markers of one kind before.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

FEWEST_POINTS = 8
"""Shorter lines are left as they are."""
TOLERANCE = 1.0
"""Tenths of a point by which a curve may miss one of its corners."""

_NOT_DRAWN = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.DOTALL
)
_PATH = re.compile(r'(<path [^>]*?\bd=")([^"]*)("[^>]*)')
_STYLE = re.compile(r'(\bstyle=")([^"]*)(")')
_MOVED = re.compile(r"translate\(([^)]*)\)")
_GLYPH = re.compile(r'<path id="(\w+)" d="([^"]*)" transform="scale\(0\.015625\)"/>')
_STEP = re.compile(r"([MLQCz])([^MLQCz]*)")
_PAIRS_OF_ONE = {"Q": 2, "C": 3}
GLYPH_UNIT = 10
"""Units of a glyph, 6,400 of which are as long as a line is high, that one number stands for."""
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_LINES = re.compile(r"\s*M([-\d\s.,L]+)(z?)\s*")  # no curve, and no second beginning
_PAIR = re.compile(r"(-?[\d.]+)[\s,]+(-?[\d.]+)")

Corner = tuple[int, int]
"""A place in tenths of a point."""


def smaller(svg: bytes) -> bytes:
    """Return the same picture in fewer bytes. svg: as matplotlib writes it."""
    text = _NOT_DRAWN.sub("", svg.decode())
    text = _STYLE.sub(
        lambda style: style[1] + re.sub(r"([;:])\s+", r"\1", style[2]) + style[3], text
    )
    text = _PATH.sub(_path, _GLYPH.sub(_glyph, text))
    text = _MOVED.sub(lambda moved: f"translate({_rounded(moved[1]).removesuffix(' 0')})", text)
    # A browser knows an address in the file itself without the old prefix.
    text = _with_short_ids(text.replace("xlink:href=", "href="))
    return re.sub(r">\s+<", "><", text).strip().encode()


def _glyph(glyph: re.Match[str]) -> str:
    """Return the outline of a letter in larger units, each place by its distance from the last.

    The places are rounded, not the distances, so that errors do not add up.
    """
    x = y = 0
    start = x, y
    told = []
    for command, numbers in _STEP.findall(glyph[2]):
        pairs = [
            (round(float(x_text) / GLYPH_UNIT), round(float(y_text) / GLYPH_UNIT))
            for x_text, y_text in _PAIR.findall(numbers)
        ]
        steps = ""
        of_one = _PAIRS_OF_ONE.get(command, 1)
        for place, (to_x, to_y) in enumerate(pairs, 1):
            steps += f"{_signed(to_x - x)}{_signed(to_y - y)}"
            if place % of_one == 0:  # the handles of a curve are told from its beginning
                x, y = to_x, to_y
            if command == "M" and place == 1:
                start = x, y
        told.append(command.lower() + steps.strip())
        if command == "z":
            x, y = start
    scale = f"{GLYPH_UNIT / 64}".removeprefix("0")
    return f'<path id="{glyph[1]}" d="{"".join(told)}" transform="scale({scale})"/>'


def _signed(step: int) -> str:
    return f"{step}" if step < 0 else f" {step}"


def _with_short_ids(text: str) -> str:
    """Return the picture with a short name for each id that is referred to, and no other ids."""
    referred = re.findall(r'(?:href="|url\()#([^")]+)', text)
    names = {name: f"i{place}" for place, name in enumerate(dict.fromkeys(referred))}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{names[match[1]]}"' if match[1] in names else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r'(href="|url\()#([^")]+)', lambda match: f"{match[1]}#{names[match[2]]}", text)


def _path(path: re.Match[str]) -> str:
    """Return a path whose data is rounded, without blanks that separate nothing."""
    begin, data, end = path.groups()
    lines = _LINES.fullmatch(data)
    if lines is not None:
        corners = [_corner(x, y) for x, y in _PAIR.findall(lines[1])]
        if len(corners) >= FEWEST_POINTS:
            # Markers from the left to the right: the steps are short, and of one style the order
            # in which they cover each other cannot be seen.
            has_markers = "marker-mid" in begin + end
            drawn = sorted(corners) if has_markers else [*_simplified(corners)]
            return begin + _polyline(drawn) + lines[2] + end
    shorter = re.sub(r"\s+", " ", _rounded(data))
    return begin + re.sub(r"\s*([A-Za-z])\s*", r"\1", shorter).strip() + end


def _rounded(numbers: str) -> str:
    return _NUMBER.sub(lambda each: f"{float(each[0]):.2f}".rstrip("0").rstrip("."), numbers)


def _corner(x: str, y: str) -> Corner:
    return round(float(x) * 10), round(float(y) * 10)


def _simplified(corners: Sequence[Corner]) -> Iterator[Corner]:
    """Yield the corners without those that lie on the line between the ones that stay."""
    first = 0
    yield corners[0]
    for last in range(2, len(corners) + 1):
        is_end = last == len(corners)
        if is_end or not all(
            _is_near(corners[each], corners[first], corners[last])
            for each in range(first + 1, last)
        ):
            first = last - 1
            yield corners[first]


def _is_near(corner: Corner, start: Corner, end: Corner) -> bool:
    """Return True if a corner lies between two others, to within the tolerance."""
    along, across = end[0] - start[0], end[1] - start[1]
    x, y = corner[0] - start[0], corner[1] - start[1]
    square = along**2 + across**2
    if not square:
        return x**2 + y**2 <= TOLERANCE**2
    inside = 0 <= x * along + y * across <= square
    return inside and (x * across - y * along) ** 2 <= TOLERANCE**2 * square


def _polyline(corners: Sequence[Corner]) -> str:
    """Return the data of a line through the corners, each told by its distance from the last."""
    (x, y), *_ = corners
    steps = [(to[0] - start[0], to[1] - start[1]) for start, to in pairwise(corners)]
    told = "".join(f"{_tenths(step, ' ')}" for each in steps for step in each)
    return f"M{_tenths(x)}{_tenths(y, ' ')}l{told.strip()}"


def _tenths(value: int, before: str = "") -> str:
    """Return a number of tenths: 12, -.5, 3.1. before: what separates it, if no sign does."""
    whole, tenth = divmod(abs(value), 10)
    digits = f"{whole or ''}.{tenth}" if tenth else f"{whole}"
    return f"-{digits}" if value < 0 else f"{before}{digits}"

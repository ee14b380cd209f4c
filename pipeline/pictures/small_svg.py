"""A picture of reports/plots in a third of its bytes, for a page that has its pictures inside.

The eye sees no difference: places keep a tenth of a point, comments and metadata go, names are
short, and a curve loses the corners that lie on the line between their neighbours. `svg_file` has
made one path of the markers of one kind before; `svg_styles` makes classes of styles.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.pictures import svg_styles

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
GLYPH_UNIT = 12.8
"""Units of a glyph that one number stands for; 6,400 units are as long as a line is high."""
_NUMBER = re.compile(r"-?\d+\.\d+")
_LETTER = re.compile(r'(<use xlink:href="#\w+" x=")([\d.]+)("/>)')
"""Its place is in hundredths of the height of a line, a tenth of a point at most."""
_PLACED = re.compile(r'(<use xlink:href="#\w+" )x="([-\d.]+)" y="([-\d.]+)"')
_BLANK = re.compile(r'<path id="(\w+)" transform="[^"]*"/>')
_MARKED = re.compile(r'(<marker [^>]*><use [^>]*)/></marker>\s*<path d="M([-\d\s.]+)"([^>]*)/>')
"""As `svg_file` writes markers."""
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
    for blank in _BLANK.findall(text):
        text = re.sub(rf'<use xlink:href="#{blank}"[^>]*/>|<path id="{blank}"[^>]*/>', "", text)
    text = _MARKED.sub(_marked, _PATH.sub(_path, _GLYPH.sub(_glyph, text)))
    text = _LETTER.sub(lambda each: f"{each[1]}{float(each[2]):.0f}{each[3]}", text)
    text = _PLACED.sub(
        lambda each: f'{each[1]}x="{_rounded(each[2])}" y="{_rounded(each[3])}"', text
    )
    text = _MOVED.sub(lambda moved: f"translate({_rounded(moved[1]).removesuffix(' 0')})", text)
    # A browser knows an address in the file itself without the old prefix.
    text = re.sub(r' xmlns:xlink="[^"]*"', "", text.replace("xlink:href=", "href="))
    text = svg_styles.with_classes(_with_short_ids(text))
    return svg_styles.without_groups(re.sub(r">\s+<", "><", text)).strip().encode()


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
    """Return the picture with a short name for each id that is referred to, and no other ids.

    What is referred to most often has the shortest.
    """
    referred = Counter(re.findall(r'(?:href="|url\()#([^")]+)', text)).most_common()
    names = {name: svg_styles.short_name(place) for place, (name, _) in enumerate(referred)}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{names[match[1]]}"' if match[1] in names else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r'(href="|url\()#([^")]+)', lambda match: f"{match[1]}#{names[match[2]]}", text)


def _path(path: re.Match[str]) -> str:
    """Return a path whose data is rounded, without blanks that separate nothing."""
    begin, data, end = path.groups()
    lines = _LINES.fullmatch(data)
    if "marker-mid" in begin + end:
        return path[0]
    if lines is not None:
        corners = [_corner(x, y) for x, y in _PAIR.findall(lines[1])]
        if len(corners) >= FEWEST_POINTS:
            return begin + _polyline([*_simplified(corners)]) + lines[2] + end
    shorter = re.sub(r"\s+", " ", _rounded(data))
    return begin + re.sub(r"\s*([A-Za-z])\s*", r"\1", shorter).strip() + end


def _marked(marked: re.Match[str]) -> str:
    """Return markers whose places are in tenths of a point, which take no decimal point.

    From the left to the right: the steps are short, and of one style the order in which they cover
    each other cannot be seen.
    """
    marker, places, rest = marked.groups()
    corners = sorted(_corner(x, y) for x, y in _PAIR.findall(places))
    told = "".join(_signed(step) for each in _steps(corners) for step in each).strip()
    (x, y), *_ = corners
    return (
        f'{marker} transform="scale(10)"/></marker>'
        f'<path d="M{x}{_signed(y)}l{told}" transform="scale(.1)"{rest}/>'
    )


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
    told = "".join(f"{_tenths(step, ' ')}" for each in _steps(corners) for step in each)
    return f"M{_tenths(x)}{_tenths(y, ' ')}l{told.strip()}"


def _steps(corners: Sequence[Corner]) -> Iterator[Corner]:
    """Yield the way from each corner to the next."""
    return ((to[0] - start[0], to[1] - start[1]) for start, to in pairwise(corners))


def _tenths(value: int, before: str = "") -> str:
    """Return a number of tenths: 12, -.5, 3.1. before: what separates it, if no sign does."""
    whole, tenth = divmod(abs(value), 10)
    digits = f"{whole or ''}.{tenth}" if tenth else f"{whole}"
    return f"-{digits}" if value < 0 else f"{before}{digits}"

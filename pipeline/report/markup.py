"""HTML text: elements, attributes and tables, in which nothing but our own markup is markup."""

import html
import re
import urllib.parse
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.pictures import small_svg


class Html(str):
    """Text that is markup already. Any other text is escaped where it becomes part of a page."""

    __slots__ = ()


def text(content: str) -> Html:
    """Return `content` as text: as it is if it is markup, else escaped, quotes included."""
    return content if isinstance(content, Html) else Html(html.escape(content, quote=True))


def join(parts: Iterable[str], between: str = "") -> Html:
    """Return the parts, one after the other."""
    return Html(text(between).join(text(part) for part in parts))


def element(tag: str, *children: str, **attributes: Any) -> Html:
    """Return an element. An attribute that is None or False is left out; class_ stands for class.

    >>> element("a", "<b>", href='"')
    '<a href="&quot;">&lt;b&gt;</a>'
    """
    opened = _opened(tag, attributes)
    return Html(f"{opened}{join(children)}</{tag}>")


def void(tag: str, **attributes: Any) -> Html:
    """Return an element that has no content, such as an image."""
    return _opened(tag, attributes)


def _opened(tag: str, attributes: dict[str, Any]) -> Html:
    named = (
        (name.rstrip("_").replace("_", "-"), value)
        for name, value in attributes.items()
        if value not in (None, False)
    )
    # Not `text`: markup in an attribute is text, too.
    shown = "".join(f' {name}="{html.escape(str(value), quote=True)}"' for name, value in named)
    return Html(f"<{tag}{shown}>")


def name(of_the_table: str) -> Html:
    """Return a name from the table, which is isolated from the direction of the text around it."""
    return element("bdi", of_the_table)


def code(content: str) -> Html:
    """Return `content` as code."""
    return element("code", content)


def paragraph(*children: str, class_: str | None = None) -> Html:
    """Return a paragraph."""
    return element("p", *children, class_=class_)


def items(contents: Iterable[str], class_: str | None = None) -> Html:
    """Return a list; nothing if there are no items."""
    listed = [element("li", content) for content in contents]
    return element("ul", *listed, class_=class_) if listed else Html()


def table(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[int] = (),
    class_: str | None = None,
) -> Html:
    """Return a table that scrolls sideways in its own box; the first cell of a row heads it.

    numbers: columns that are aligned as numbers.
    """

    def kind(column: int) -> str | None:
        return "num" if column in numbers else None

    head = (element("th", cell, scope="col", class_=kind(c)) for c, cell in enumerate(header))
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", class_=kind(0)),
            *(element("td", cell, class_=kind(c)) for c, cell in enumerate(row[1:], 1)),
        )
        for row in rows
    ]
    whole = element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_=class_,
    )
    return element("div", whole, class_="scroll", tabindex="0", role="group")


def picture(svg: bytes, alt: str, caption: str) -> Html:
    """Return a picture in the page: an SVG image, in which no script runs and which loads nothing.

    alt: plain text. caption: text or markup.
    """
    width, height = _size(svg)
    rest = _opened("img", {"alt": alt, "width": width, "height": height}).removeprefix("<img")
    image = Html(f'<img src="{_address(svg)}"{rest}')
    return element("figure", image, element("figcaption", caption))


def _address(svg: bytes) -> str:
    """Return a picture as an address that may stand between quotation marks as it is.

    A quarter shorter than base64. What would end the attribute or the address, or begin a reference
    in either, is in hexadecimal digits; what browsers take as it is stays.
    """
    text = small_svg.smaller(svg).decode()
    if "'" not in text:
        text = text.replace('"', "'")  # one byte in place of three
    return "data:image/svg+xml," + urllib.parse.quote(text, safe=" !$'()*,/:;<=>@[]^`{|}+")


def _size(svg: bytes) -> tuple[int | None, int | None]:
    """Return the width and the height of an SVG in its own units, so that no page has to jump."""
    match = re.search(rb'<svg[^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    return (round(float(match[1])), round(float(match[2]))) if match else (None, None)

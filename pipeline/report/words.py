"""Sentences of the report in the reader's language, with names and figures put in as HTML.

Each module that words something has its templates in one dict, SENTENCES, with the same keys in
each language. In a template {name} is a value, `…` code and **…** strong; "row | rows" is chosen by
the value of n. Nothing else is markup.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.report import markup
from pipeline.report.markup import Html
from pipeline.settings.keys.sections import Language

Sentences = Mapping[Language, Mapping[str, str]]
Value = str | int | float | None

MOST_NAMES_SHOWN = 8
LARGEST_PLAIN, SMALLEST_PLAIN = 1e15, 1e-4

SENTENCES: Sentences = {
    "en": {"more": "{names} and {n} more", "comma": ", ", "colon": ": ", "none": "–"},
    "zh": {"more": "{names} 等（另有 {n} 项）", "comma": "、", "colon": "：", "none": "–"},
}


@dataclass(frozen=True)
class Words:
    """The sentences of a module in one language."""

    language: Language
    sentences: Sentences

    def __call__(self, key: str, **values: Value) -> Html:
        """Return a sentence with its values. Text among the values is escaped."""
        template = self.sentences[self.language][key]
        if " | " in template:
            one, many = template.split(" | ")
            template = one if values["n"] == 1 else many
        known = {name: markup.text(_shown(value)) for name, value in values.items()}
        return Html(_markup(template).format_map(known))

    def plain(self, key: str) -> str:
        """Return a sentence without values as plain text, for an attribute."""
        return self.sentences[self.language][key]

    def names(self, names: Sequence[str], most: int = MOST_NAMES_SHOWN) -> Html:
        """Return the first names in a sentence: a, b and 3 more."""
        return self.listed([markup.name(each) for each in names], most)

    def listed(self, parts: Sequence[Html], most: int = MOST_NAMES_SHOWN) -> Html:
        """Return the first parts in a sentence: a, b and 3 more."""
        general = Words(self.language, SENTENCES)
        shown = markup.join(parts[:most], general.plain("comma"))
        more = len(parts) - most
        return general("more", names=shown, n=more) if more > 0 else shown


def _markup(template: str) -> str:
    with_code = re.sub(r"`(.+?)`", r"<code>\1</code>", markup.text(template))
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", with_code)


def _shown(value: Value) -> str:
    if isinstance(value, str):
        return value
    return number(value)


def number(value: float | None, digits: int = 5) -> str:
    """Return a figure as people write it: 1,234,567, 12.345, 0.00123, −7, or – if there is none.

    digits: of a figure with decimals; whole numbers below 10¹⁵ have all of theirs.
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if isinstance(value, int) or (value == int(value) and abs(value) < LARGEST_PLAIN):
        text = f"{int(value):,}"
    elif abs(value) >= LARGEST_PLAIN or abs(value) < SMALLEST_PLAIN:
        mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}·10{_raised(int(power))}"
    else:
        power = f"{value:.{digits - 1}e}".partition("e")[2]  # logarithms differ between machines
        text = f"{value:,.{max(0, digits - 1 - int(power))}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def cell(value: str | None, digits: int = 5) -> str:
    """Return a figure of a CSV file as `number` does; an empty field is no figure."""
    return number(float(value) if value else None, digits)


def percent(share: float) -> str:
    """Return a share as a whole percentage: 54 %; below one and above 99 with a decimal."""
    is_whole = 0.01 <= share <= 0.99 or share in (0, 1)
    return f"{100 * share:.0f} %" if is_whole else f"{100 * share:.1f} %"


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

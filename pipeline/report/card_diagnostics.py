"""The model card's section on what is wrong with the fit, and what to do about it."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pipeline.report import diagnostic_words, markdown


class Measured(Protocol):
    """Facts that have the metrics."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """metrics.json."""


def section(facts: Measured) -> Iterator[str]:
    """Return the lines of the section; worrying diagnostics are marked."""
    yield "## Diagnostics"
    yield ""
    yield "Of the least-squares line on the training rows:"
    yield ""
    for each in diagnostic_words.sentences(facts.metrics.get("diagnostics", {}), markdown.text):
        is_loud = each.verdict == "worrying"
        yield f"- {'**Take care.** ' * is_loud}{each.text}"

"""The model card's section on the coefficients: their table, and what is odd about them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipeline.columns.plan import Plan
from pipeline.report import card_terms, markdown, target_words
from pipeline.report.card_columns import MOST_ROWS_SHOWN

_REFERENCE_COLUMNS = ("", ": standard error", ": 95 % from", ": to")

Row = Mapping[str, str]
"""A row of coefficients.csv."""


def section(rows: Sequence[Row], plan: Plan, *, is_quantile: bool = False) -> Iterator[str]:
    """Return the lines of the section. rows: of coefficients.csv.

    is_quantile: True if the loss asks for a quantile, so that answers are no medians.
    """
    yield "## Coefficients"
    yield ""
    logs = [*plan.target_scales]
    if not rows:
        yield (
            "None: the model is not linear. `reports/plots/` shows its mean prediction over its"
            " most important columns."
        )
        yield from _paragraphs(
            target_words.sentences(logs, (), markdown.text, answers_are_medians=not is_quantile)
        )
        return
    has_notes = any(row.get("note") for row in rows)
    header = ["target", "term", "value", *(f"least squares{part}" for part in _REFERENCE_COLUMNS)]
    yield from markdown.table(
        [*header, *["note"] * has_notes],
        (
            [
                markdown.text(row["target"]),
                markdown.text(row["term"]),
                row["value"],
                *(number(row[key]) for key in ("reference", "std_error", "ci_low", "ci_high")),
                *[markdown.text(row.get("note", ""))] * has_notes,
            ]
            for row in rows[:MOST_ROWS_SHOWN]
        ),
    )
    if len(rows) > MOST_ROWS_SHOWN:
        yield ""
        yield f"{len(rows) - MOST_ROWS_SHOWN:,} terms more are in `reports/coefficients.csv`."
        if later := [row for row in rows[MOST_ROWS_SHOWN:] if row.get("note")]:
            yield ""
            yield f"{len(later):,} of them have a note."
    if not plan.model_copy(update={"terms": ()}).is_matrix:
        yield ""
        yield (
            "A term such as `column[level]` is 1 in the rows of that level, else 0: its value is"
            " how far the target lies from the rows of the reference level, all else the same."
        )
    yield from _paragraphs(card_terms.explained(plan))
    yield from _paragraphs(
        target_words.sentences(
            logs,
            rows,
            markdown.text,
            answers_are_medians=not is_quantile,
            alone=card_terms.alone(plan),
        )
    )


def _paragraphs(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield ""
        yield sentence


def number(value: Any) -> str:
    """Return six digits of a figure, or nothing if there is no figure."""
    return "" if value in (None, "") else f"{float(value):.6g}"

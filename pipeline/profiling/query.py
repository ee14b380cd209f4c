"""A row of the table that the model will be able to answer, for evaluate.queries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute

from pipeline.profiling import dates
from pipeline.profiling.proposal import Proposal
from pipeline.profiling.relations import numbers_of
from pipeline.profiling.table_profile import TableProfile
from pipeline.tables.date_texts import GAP
from pipeline.tables.number_texts import BLANKS

MOST_ROWS = 5_000


def row(profile: TableProfile, proposal: Proposal) -> dict[str, Any] | None:
    """Return the features of a row with few gaps and usual levels; None if none can be answered."""
    sample = profile.sample.slice(0, MOST_ROWS)
    usable = np.ones(sample.num_rows, np.bool_)
    gaps = np.zeros(sample.num_rows)
    values: dict[str, Sequence[Any]] = {}
    for name, choice in proposal.features.items():
        column = profile.column(name)
        raw = sample.column(profile.place(column))
        of = choice.settings["kind"] if choice.settings else ""
        has_policy = "missing" in (choice.settings or {})
        if of == "number":
            numbers = numbers_of(raw, column)
            is_gap = np.isnan(numbers)
            usable &= np.isfinite(numbers) | (is_gap & has_policy)
            gaps += is_gap
            values[name] = [_plain(number) for number in numbers.tolist()]
            continue
        texts = _texts(raw, column.as_written)
        if of == "category":
            is_gap = np.array([text not in column.values for text in texts])
            usable &= ~is_gap | has_policy
            gaps += np.array([text not in choice.levels for text in texts])
            values[name] = [None if gap else text for gap, text in zip(is_gap, texts, strict=True)]
            continue
        form = str((choice.settings or {}).get("format", dates.ISO))
        has_hour = "hour" in (choice.settings or {}).get("parts", ())
        values[name] = _moments(texts, column.dates, form, usable, has_hour)
        usable &= np.array([moment != "" for moment in values[name]])
    if not usable.any():
        return None
    place = int(np.where(usable, gaps, np.inf).argmin())
    return {name: column_values[place] for name, column_values in values.items()}


def _plain(number: float) -> float | int | None:
    if np.isnan(number):
        return None
    return int(number) if number % 1 == 0 and abs(number) < 2**53 else number


def _texts(values: pa.ChunkedArray, as_written: bool) -> list[str]:
    texts = values.cast(pa.string()).fill_null("")
    if as_written:
        texts = compute.ascii_trim(texts, BLANKS)
    return [str(text) for text in texts.to_pylist()]


def _moments(
    texts: list[str],
    forms: dates.DateForms,
    form: str,
    usable: NDArray[np.bool_],
    has_hour: bool,
) -> list[str]:
    """Return dates as ISO 8601 writes them; "" in rows that are not usable."""
    moments = [""] * len(texts)
    for place in np.flatnonzero(usable).tolist()[:1000]:
        seconds = int(forms.read(pa.array([texts[place]], pa.string()), form)[0])
        if seconds == GAP:
            continue
        moment = str(np.int64(seconds).astype("datetime64[s]"))
        moments[place] = moment if has_hour else moment[:10]
    return moments

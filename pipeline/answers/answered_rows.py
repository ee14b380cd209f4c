"""Counts of the rows that a model answers or refuses, and the notes to print about them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from abline_client import Model
from numpy.typing import NDArray

from pipeline.answers.model_inputs import (
    Bools,
    CategoryInput,
    Converted,
    DateInput,
    ModelInput,
    NumberInput,
)
from pipeline.onnx_model.text_codes import CodedFile
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, show
from pipeline.tables.raw_file import Block
from pipeline.tables.raw_table import RawTable

MOST_COLUMNS_SHOWN = 5
MOST_PLACES_SHOWN = 3


@dataclass
class Refusal:
    """The values of a column that the model refuses for one reason.

    places: of the first ones in the file. texts: the first different ones, if they are texts.
    """

    rows: int = 0
    places: list[int] = field(default_factory=list)
    texts: dict[str, None] = field(default_factory=dict)


class AnsweredRows:
    """Counts of rows.

    rows: all. refused: without an answer. outside: outside the training range. overflowed: with an
    infinite answer. terms: the texts of data.terms.
    """

    def __init__(self, model: Model, table: RawTable, coded: CodedFile | None = None) -> None:
        self.rows = self.refused = self.outside = self.overflowed = 0
        self._path, self._unit, self._dtype = table.paths[0], table.unit, model.dtype
        self.inputs = inputs_of(model, coded)
        self._outside_by_feature = dict.fromkeys(model.features, 0)
        self._refusals: dict[tuple[str, str], Refusal] = {}
        self.terms: list[str] = model.contract["source"]["params"].get("data.terms") or []

    @property
    def rounded(self) -> bool:
        """True if a number was rounded to the model's precision."""
        numbers = [each for each in self.inputs.values() if isinstance(each, NumberInput)]
        return any(each.has_rounded for each in numbers)

    def model_input(self, block: Block) -> tuple[dict[str, NDArray[Any]], Bools | None]:
        """Count a block of rows.

        Returns the columns as the model takes them, and True for each row that it refuses: [rows];
        None if there is none.
        """
        feed: dict[str, NDArray[Any]] = {}
        outside: Bools | None = None
        refused: Bools | None = None
        outside_by_feature = {}
        for place, (name, each) in enumerate(self.inputs.items()):
            column = each.convert(block.rows.column(name))
            feed[name] = column.values
            for reason, mask in self._reasons(name, each, column, block):
                self._add(place, name, reason, mask, block)
                refused = mask if refused is None else refused | mask
            if column.outside is not None:
                outside_by_feature[name] = column.outside
                outside = column.outside if outside is None else outside | column.outside
        self.rows += block.rows.num_rows
        if refused is not None:
            self.refused += int(np.count_nonzero(refused))
        if outside is not None:
            answered = True if refused is None else ~refused
            self.outside += int(np.count_nonzero(outside & answered))
            for name, mask in outside_by_feature.items():
                self._outside_by_feature[name] += int(np.count_nonzero(mask & answered))
        return feed, refused

    def _reasons(
        self, name: str, column_input: ModelInput, column: Converted, block: Block
    ) -> Iterator[tuple[str, Bools]]:
        """Yield the reasons for which values of a column are refused, each with its rows."""
        wrong = block.wrong.get(name)
        for reason, mask in column.refused.items():
            # A value that is not of the kind is a gap among the typed rows.
            others = mask if wrong is None else mask & ~wrong
            if others.any():
                yield reason, others
        if wrong is not None:
            yield column_input.wrong, wrong

    def add_unanswered(self, mask: Bools, block: Block) -> None:
        """Count rows that the file answers with NaN, although it takes each of their values.

        Of a date before 1970 the logarithm has no value, and of huge numbers no product.
        """
        self.refused += int(np.count_nonzero(mask))
        reason = f"{first_of(self.terms, 5)} has no value"
        refusal = self._refusals.setdefault(("one of the terms", reason), Refusal())
        refusal.rows += int(np.count_nonzero(mask))
        if (missing := MOST_PLACES_SHOWN - len(refusal.places)) > 0:
            refusal.places += block.places(np.flatnonzero(mask)[:missing].tolist())

    def _add(self, place: int, name: str, reason: str, mask: Bools, block: Block) -> None:
        refusal = self._refusals.setdefault((show(name), reason), Refusal())
        refusal.rows += int(np.count_nonzero(mask))
        if len(refusal.places) < MOST_PLACES_SHOWN:
            first = np.flatnonzero(mask)[: MOST_PLACES_SHOWN - len(refusal.places)].tolist()
            refusal.places += block.places(first)
            if reason != "is missing":
                values = block.original(place)
                texts = [str(values[row].as_py()).strip() for row in first]
                refusal.texts |= dict.fromkeys(texts)

    def check(self, *, strict: bool) -> None:
        """Raise UserError if no row was answered, or if a row was refused and `strict` is True."""
        if not self.refused or not (strict or self.refused == self.rows):
            return
        number = count(self.rows, "row", ",")
        first = f"{self.refused:,} of {number} cannot be answered"
        cure = "put them right, or leave out --strict to write an empty field for each"
        if self.refused == self.rows:
            first = f"the {number} cannot be answered" if self.rows == 1 else f"none of {number}"
            first += "" if self.rows == 1 else " can be answered"
            cure = (
                "if the file is written in another way than the training table, say how with"
                " --read, such as --read 'separator=;' 'decimal=,'"
            )
        raise UserError(f"{self._path}: {first}: " + "; ".join([*self._reasons_shown(), cure]))

    def notes(self) -> Iterator[str]:
        """Yield the lines for stderr."""
        if self.rounded:
            yield f"note: the model takes {self._dtype}: each number was rounded to it, once"
        if self.overflowed:
            yield (
                f"warning: the answers to {count(self.overflowed, 'row', ',')} are too large for"
                f" {self._dtype}, and are written as infinite"
            )
        number = count(self.rows, "row", ",")
        if self.refused:
            yield (
                f"warning: {self.refused:,} of {number} have no answer, and get an empty field:"
                f" {'; '.join(self._reasons_shown())}"
            )
        if self.outside:
            counts = self._outside_by_feature
            worst = sorted(counts, key=lambda name: -counts[name])[:MOST_COLUMNS_SHOWN]
            shown = [f"{name} ({counts[name]:,})" for name in worst if counts[name]]
            yield (
                f"warning: {self.outside:,} of {number} lie outside the training range, where the"
                f" error of the answers is unknown: {', '.join(shown)}"
            )

    def _reasons_shown(self) -> list[str]:
        """Return each column with each reason, its number of rows, and the first places."""
        lines = []
        for (name, reason), refusal in self._refusals.items():
            texts = f", such as {first_of([*map(show, refusal.texts)], 3)}" if refusal.texts else ""
            first = "first " if refusal.rows > len(refusal.places) else ""
            unit = self._unit + "s" * (len(refusal.places) > 1)
            places = ", ".join(map(str, refusal.places))
            lines.append(f"{name} {reason}{texts} ({refusal.rows:,}, {first}in {unit} {places})")
        return lines


def inputs_of(model: Model, coded: CodedFile | None) -> Mapping[str, ModelInput]:
    """Return the inputs of a model by the names of the columns."""
    contract = model.contract
    if contract["version"] == 1:
        entries = contract["input"]["features"]
        return {entry["name"]: NumberInput(entry, model.dtype) for entry in entries}
    inputs: dict[str, ModelInput] = {}
    for entry in contract["inputs"]:
        if entry["kind"] == "number":
            inputs[entry["name"]] = NumberInput(entry, np.dtype(entry["dtype"]))
        elif entry["kind"] == "category":
            inputs[entry["name"]] = CategoryInput(entry, coded.codes if coded else None)
        else:
            inputs[entry["name"]] = DateInput(entry)
    return inputs

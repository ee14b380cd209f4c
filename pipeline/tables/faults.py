"""Values of a file that cannot be used, counted to its end: one message names all of a kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from pipeline.settings import yaml_values
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import ColumnSettings
from pipeline.settings.keys.term_text import Kind as TermKind
from pipeline.settings.messages import count, first_of, show
from pipeline.tables import advice, weight_faults
from pipeline.tables.advice import Changes
from pipeline.tables.raw_file import Block
from pipeline.tables.selection import Selection
from pipeline.tables.wrong_values import WrongValues

ALL_INTEGERS_BELOW = 2.0**53  # float64 represents every smaller integer exactly
MOST_PLACES_SHOWN = 3
Mask = NDArray[np.bool_]


@dataclass
class Fault:
    """One kind of fault: its number of values in each column and of rows, and its first places."""

    counts: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, masks: Mapping[str, Mask], block: Block) -> None:
        """Count the faulty values of a block. masks: True for those, by the column: [rows] each."""
        if not masks:
            return
        rows = np.flatnonzero(np.logical_or.reduce([*masks.values()])).tolist()
        if rows:
            for name, mask in masks.items():
                if number := int(np.count_nonzero(mask)):
                    self.counts[name] = self.counts.get(name, 0) + number
            self.rows += len(rows)
            if shown := rows[: MOST_PLACES_SHOWN - len(self.places)]:
                self.places += block.places(shown)

    def message(self, kind: str, names: Sequence[str], unit: str) -> str:
        """Return the number of values of this kind, their columns and the first places.

        names: all columns, in their order.
        """
        total = sum(self.counts.values())
        columns = [name for name in names if name in self.counts]
        listed = [f"{show(name)} ({self.counts[name]})" for name in columns]
        if len(columns) == 1:
            listed = [show(columns[0])]
        first = "first " if self.rows > len(self.places) else ""
        return (
            f"{count(total, 'value')} {'is' if total == 1 else 'are'} {kind} in"
            f" {first_of(listed, advice.MOST_NAMES_SHOWN)}, {first}in"
            f" {unit}{'s' * (len(self.places) > 1)} {', '.join(map(str, self.places))}"
        )


class Faults:
    """Faults of a file, counted to its end.

    path: the file, for messages. unit: of `Block.places`.
    selection: the columns that are read.
    """

    def __init__(self, path: object, unit: str, selection: Selection) -> None:
        self._path, self._unit, self._selection = path, unit, selection
        self._missing, self._infinite, self._undecided = Fault(), Fault(), Fault()
        self._weights = {kind: Fault() for kind in weight_faults.CURES}
        self._without_value: dict[TermKind, Fault] = {"log": Fault(), "sqrt": Fault()}
        self._not_positive = Fault()
        self._inexact: list[str] = []
        self._rows = 0
        self._wrong: dict[str, WrongValues] = {}

    def __bool__(self) -> bool:
        """Return True if the file has had any fault so far."""
        """Return True if the file has had any fault so far."""
        kinds = self._missing, self._infinite, self._undecided, self._not_positive
        faults = (*kinds, *self._weights.values(), *self._without_value.values())
        return bool(self._inexact or self._wrong or any(each.rows for each in faults))

    def add_missing(self, gaps: Mapping[str, Mask], block: Block) -> None:
        """Count gaps where none may be. gaps: True for each, by the column: [rows] each."""
        self._missing.add(gaps, block)
        self._rows += block.rows.num_rows

    def add_undecided(self, gaps: Mapping[str, Mask], block: Block) -> None:
        """Count gaps in the columns by which rows are chosen. gaps: as of `add_missing`."""
        self._undecided.add(gaps, block)

    def add_weights(self, masks: Mapping[str, Mask], block: Block) -> None:
        """Count values that are no weights. masks: True for each, by its kind: [rows] each."""
        for kind, mask in masks.items():
            assert self._selection.weights is not None
            self._weights[kind].add({self._selection.weights.by: mask}, block)

    def add_infinite(self, infinite: Mapping[str, Mask], block: Block) -> None:
        """Count infinite numbers. infinite: True for each, by the column: [rows] each."""
        self._infinite.add(infinite, block)

    def add_without_value(self, masks: Mapping[str, Mask], block: Block) -> None:
        """Count the numbers of which a term has no value. masks: as of `add_missing`."""
        for kind, fault in self._without_value.items():
            in_terms = self._selection.in_terms
            fault.add({name: m for name, m in masks.items() if in_terms[name] == kind}, block)

    def add_not_positive(self, masks: Mapping[str, Mask], block: Block) -> None:
        """Count the numbers without a logarithm. masks: True for each, by the target: [rows]."""
        self._not_positive.add(masks, block)

    def add_wrong(
        self, name: str, settings: ColumnSettings, mask: Mask, texts: pa.Array, block: Block
    ) -> None:
        """Count the values of a column that are not of its kind, in a block that may have none.

        mask: True for each: [rows]. texts: the column as text: [rows].
        """
        if name not in self._wrong:
            names, first = self._selection.names, int(np.argmax(mask))
            (place,) = block.places([first])
            is_nested = types.is_nested(block.rows.column(names.index(name)).type)
            text = texts[first].as_py() or ""
            decimal = self._selection.decimal
            self._wrong[name] = WrongValues(settings, place, text, is_nested, decimal)
        self._wrong[name].add(mask, texts)

    def is_wrong(self, name: str) -> bool:
        """Return True if the column had a wrong value in this block or an earlier one."""
        return name in self._wrong

    def add_inexact(self, name: str, row: int, value: int, block: Block) -> None:
        """Note an integer that float64 cannot represent; only the first is shown."""
        if not self._inexact:
            (place,) = block.places([row])
            self._inexact.append(
                f"{self._path}:{place}: {show(name)} is {value}, an integer that float64 cannot"
                f" represent (the nearest is {int(float(value))}); if it is a label, leave the"
                f" column out, `exclude: {yaml_values.flow([name])}` under data; else write it in a"
                " larger unit"
            )

    def check(self) -> None:
        """Raise UserError if the file has faults."""
        names = self._selection.names
        changes = Changes(self._selection)
        lines = []
        if self._wrong:
            wrong = {name: self._wrong[name] for name in names if name in self._wrong}
            first = advice.first_wrong(self._path, wrong)
            lines.append("\n  ".join([first, *changes.add_wrong(wrong)]))
        if self._missing.rows:
            message = self._missing.message("missing", names, self._unit)
            counts = self._missing.counts
            empty = {name for name, number in counts.items() if number == self._rows}
            ways = changes.add_gaps([name for name in names if name in counts], empty)
            text = f"{self._path}:{self._missing.places[0]}: {message}"
            lines.append(f"{text}; {ways}" if ways else text)
        if self._undecided.rows:
            message = self._undecided.message("missing", names, self._unit)
            lines.append(
                f"{self._path}:{self._undecided.places[0]}: {message}: by"
                f" {'these columns' if len(self._undecided.counts) > 1 else 'this column'} rows are"
                " held out, folds are made or errors are clustered (data.test_fraction, data.folds,"
                " data.clusters), so each row needs a value; give a row that belongs"
                " to no other a value of its own, or remove these rows (of a feature `missing:"
                " drop_row` leaves them out)"
            )
        for kind, fault in self._weights.items():
            if fault.rows:
                assert self._selection.weights is not None
                message = fault.message(kind, names, self._unit)
                cure = weight_faults.cure(kind, self._selection.weights)
                lines.append(f"{self._path}:{fault.places[0]}: {message}: {cure}")
        if self._infinite.rows:
            message = self._infinite.message("infinite", names, self._unit)
            lines.append(
                f"{self._path}:{self._infinite.places[0]}: {message}; replace them by finite"
                " numbers, or remove these rows"
            )
        for kind, fault in self._without_value.items():
            if fault.rows:
                terms = first_of([f"{kind}({name})" for name in fault.counts], 5)
                limit = "not above 0" if kind == "log" else "below 0"
                lines.append(
                    f"{self._path}:{fault.places[0]}: {fault.message(limit, names, self._unit)};"
                    f" {terms} in data.terms {'has' if len(fault.counts) == 1 else 'have'} no value"
                    " there: correct the numbers if they are mistakes, or leave the term out"
                )
        if self._not_positive.rows:
            message = self._not_positive.message("not above 0", names, self._unit)
            lines.append(
                f"{self._path}:{self._not_positive.places[0]}: {message}: they have no logarithm,"
                " which data.targets asks for; correct them if they are mistakes, or fit the column"
                f" as it is, `targets: {yaml_values.flow(self._selection.targets)}`"
            )
        lines += self._inexact
        if not lines:
            return
        if paste := changes.paste():
            lines.append(paste)
        raise UserError("\n".join(lines).replace("\n", "\n  "))

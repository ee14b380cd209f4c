"""The plan of a table's features, learnt from the training rows: data/columns.json."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.columns import target_scale
from pipeline.columns.category import CategoryColumn
from pipeline.columns.column import Bools, Values
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.operands import Encoded
from pipeline.columns.target_scale import OtherScale
from pipeline.columns.term import AnyTerm, FunctionTerm, ProductTerm
from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.keys.weight_settings import Weights
from pipeline.tables import table

AnyColumn = Annotated[NumberColumn | CategoryColumn | DateColumn, Field(discriminator="kind")]


class RowCounts(BaseModel):
    """Numbers of rows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: int
    """Rows of the files, or rows that were generated."""
    dropped: dict[str, int]
    """Rows that were left out because the value of a column was missing, by the first such
    column, or because their weight was 0, by the column of the weights."""
    gap: Annotated[int, Field(exclude_if=lambda rows: not rows)] = 0
    """Rows of the days before the first one that is held out: data.test_fraction.gap."""
    training: int
    test: int


class SourceFile(BaseModel):
    """A file of the source as it was when it was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    size: int
    etag: str
    """Of a file of this machine its md5."""


class RowsByColumn(Protocol):
    """Typed rows whose columns are given one by one, such as an Arrow table."""

    @property
    def num_rows(self) -> int:
        """Number of rows."""

    def column(self, name: str, /) -> Values:
        """Return a column: [rows]."""


class Plan(BaseModel):
    """The features and what becomes of each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: tuple[SourceFile, ...] = ()
    """The files, if their rows are elsewhere; of others DVC knows the md5."""
    rows: RowCounts
    excluded: tuple[str, ...]
    """Columns of the file that are neither features nor targets."""
    columns: tuple[AnyColumn, ...]
    """In the order of the features."""
    target_scales: Annotated[
        dict[str, OtherScale], Field(exclude_if=lambda scales: not scales)
    ] = {}
    """Of the targets that are not fitted as they are."""
    weights: Annotated[Weights | None, Field(exclude_if=lambda weights: weights is None)] = None
    """The column that says how much each row counts."""
    terms: Annotated[tuple[AnyTerm, ...], Field(exclude_if=lambda terms: not terms)] = ()
    """Further numbers made from those of the columns, in the order of data.terms."""
    only_in_terms: Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)] = ()
    """Features, and parts of dates, whose own numbers the model does not get."""

    def weights_of(self, rows: "RowsByColumn") -> NDArray[np.float64] | None:
        """Return how much each row counts, above 0: [rows]; None if each counts once.

        rows: training or test rows, with the columns by name.
        """
        return None if self.weights is None else table.numbers(rows.column(self.weights.by))

    @property
    def is_matrix(self) -> bool:
        """True if every feature is a number that is never missing: the model takes a matrix.

        The numbers of terms are made inside the model, from columns.
        """
        return not self.terms and all(
            isinstance(column, NumberColumn) and column.fill is None and not column.indicator
            for column in self.columns
        )

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the raw columns."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> AnyColumn:
        """Return the feature of this name."""
        (column,) = (each for each in self.columns if each.name == name)
        return column

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """The names of the numbers that the model gets for a row."""
        parts = [*map(self.names_in_model, self.columns), *(term.names for term in self.terms)]
        return tuple(itertools.chain(*parts))

    def names_in_model(self, column: AnyColumn) -> tuple[str, ...]:
        """Return the names of a column's own numbers that the model gets."""
        return tuple(column.encoded_names[place] for place in self.places_in_model(column))

    def places_in_model(self, column: AnyColumn) -> list[int]:
        """Return the places of these numbers among all numbers of the column."""
        if isinstance(column, DateColumn):
            names = [f"{column.name}[{part}]" for part, _ in column.numbers()]
        elif isinstance(column, CategoryColumn):
            names = [column.name] * len(column.encoded_names)
        else:
            names = [*column.encoded_names]
        return [place for place, name in enumerate(names) if name not in self.only_in_terms]

    def encode(self, rows: pa.Table) -> tuple[NDArray[np.float64], Bools]:
        """Return the numbers [rows, encoded names], column-major, and the rows that are refused.

        rows: the features by name. The numbers of a refused value are NaN.
        """
        out = np.empty((rows.num_rows, len(self.encoded_names)), order="F")
        return out, self.encode_into(out, rows.column)

    def numbers(self, rows: RowsByColumn, targets: Sequence[str]) -> NDArray[np.float64]:
        """Return the encoded columns, then the targets on the scale on which they are fitted.

        rows: training or test rows, with the columns by name. [rows, columns], column-major.
        """
        width = len(self.encoded_names)
        out = np.empty((rows.num_rows, width + len(targets)), order="F")
        self.encode_into(out[:, :width], rows.column)
        for index, name in enumerate(targets, width):
            table.put_numbers(rows.column(name), out[:, index])
            if name in self.target_scales:
                out[:, index] = target_scale.fitted(out[:, index])
        return out

    def own_unit(self, fitted: NDArray[np.float64], targets: Sequence[str]) -> NDArray[np.float64]:
        """Return numbers on the fitted scale in the targets' own units: [rows, targets]."""
        return target_scale.own_unit(fitted, targets, self.target_scales)

    def on_fitted_scale(self, targets: Sequence[str]) -> tuple[str, ...]:
        """Return what each target is called where the numbers are on its fitted scale."""
        return target_scale.fitted_names(targets, self.target_scales)

    @property
    def exact(self) -> frozenset[str]:
        """The encoded columns of 0 and 1 or of small integers, which no rounding has made."""
        if self.is_matrix:
            return frozenset()
        numbers = (column.name for column in self.columns if isinstance(column, NumberColumn))
        rounded = (term.names for term in self.terms if not self.is_of_levels(term))
        return frozenset(self.encoded_names).difference(numbers, *rounded)

    def is_of_levels(self, term: AnyTerm) -> bool:
        """Return True if the numbers of a term are products of 0 and 1."""
        return isinstance(term, ProductTerm) and all(
            each.has_levels(self.column(each.column)) for each in term.operands
        )

    def float32(self, schema: pa.Schema, targets: Sequence[str]) -> frozenset[str]:
        """Return the columns whose numbers are float32. schema: of typed rows.

        A logarithm or a root of such a feature is as uncertain as the column.
        """
        as_they_are = (name for name in targets if name not in self.target_scales)
        names = (*(name for name in self.features if name in self.encoded_names), *as_they_are)
        source = {name: name for name in names}
        source |= {
            term.name: term.of.column for term in self.terms if isinstance(term, FunctionTerm)
        }
        return frozenset(
            name for name, column in source.items() if schema.field(column).type == pa.float32()
        )

    def encode_into(self, out: NDArray[np.float64], values_of: Callable[[str], Values]) -> Bools:
        """Write the numbers into `out` and return the rows that are refused: [rows].

        out: [rows, encoded names], column-major. values_of: gives the values of a feature by its
        name; it is called once for each, so that one column at a time may be in memory.
        """
        refused = np.zeros(len(out), np.bool_)
        begin = 0
        encoded: dict[str, NDArray[np.float64]] = {}
        for column in self.columns:
            places = self.places_in_model(column)
            end = begin + len(places)
            if len(places) == len(column.encoded_names):
                encoded[column.name] = numbers = out[:, begin:end]
                refused |= column.encode(values_of(column.name), numbers)
            else:
                numbers = np.empty((len(out), len(column.encoded_names)), order="F")
                encoded[column.name] = numbers
                refused |= column.encode(values_of(column.name), numbers)
                out[:, begin:end] = numbers[:, places]
            begin = end
        for term in self.terms:
            end = begin + len(term.names)
            term.write(self.operands(term, encoded), out[:, begin:end])
            refused |= ~np.isfinite(out[:, begin:end]).all(axis=1)
            begin = end
        return refused

    def operands(self, term: AnyTerm, encoded: Encoded) -> list[NDArray[np.float64]]:
        """Return the numbers of a term's features: [rows, columns] each."""
        return [
            each.numbers(self.column(each.column), encoded[each.column]) for each in term.operands
        ]

    def of_columns(self, rows: pa.Table) -> Encoded:
        """Return all numbers of each feature that a term has. rows: the features by name."""
        names = dict.fromkeys(each.column for term in self.terms for each in term.operands)
        encoded = {}
        for column in (self.column(name) for name in names):
            numbers = np.empty((rows.num_rows, len(column.encoded_names)), order="F")
            column.encode(rows.column(column.name), numbers)
            encoded[column.name] = numbers
        return encoded

    def numbers_of_terms(self, rows: pa.Table) -> Iterator[tuple[AnyTerm, NDArray[np.float64]]]:
        """Yield each term with its numbers, [rows, names]. rows: the features by name."""
        encoded = self.of_columns(rows)
        for term in self.terms:
            numbers = np.empty((rows.num_rows, len(term.names)), order="F")
            term.write(self.operands(term, encoded), numbers)
            yield term, numbers

    def differences(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """Return how far another correct evaluation of the terms in float64 may be from `encode`.

        [rows, encoded names]; None without terms.
        """
        if not self.terms:
            return None
        encoded = self.of_columns(rows)
        result = np.zeros((rows.num_rows, len(self.encoded_names)), order="F")
        begin = result.shape[1] - sum(len(term.names) for term in self.terms)
        for term, values in self.numbers_of_terms(rows):
            end = begin + len(term.names)
            difference = term.difference(self.operands(term, encoded), values)
            if difference is not None:
                result[:, begin:end] = np.nan_to_num(difference, nan=0.0, posinf=np.inf)
            begin = end
        return result

    def in_range(self, rows: pa.Table) -> Bools:
        """Return True for each row whose every value is like the training rows': [rows]."""
        inside = np.ones(rows.num_rows, np.bool_)
        for column in self.columns:
            inside &= column.in_range(rows.column(column.name))
        encoded = self.of_columns(rows)
        for term in self.terms:
            if (in_range := term.in_range(self.operands(term, encoded))) is not None:
                inside &= in_range
        return inside


def read_plan(path: Path = files.COLUMNS) -> Plan:
    """Read data/columns.json. Raises UserError if it is missing or damaged."""
    try:
        with regular_file.opened(path, regular_file.CURE_BY_REPRO) as file:
            return Plan.model_validate_json(file.read())
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except ValidationError as error:
        raise UserError(f"{path}: damaged ({error}); `dvc repro -f` makes it again") from None

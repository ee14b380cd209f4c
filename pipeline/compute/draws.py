"""Random numbers that belong to rows: a row's number is the same wherever the row is read."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.summary import FoldPlaces, each_part_in_turn
from pipeline.settings.seeds import stream
from pipeline.tables import held_out

Side = Literal["train", "test"]

# Enough to try an ONNX file on, and to draw.
SAMPLED_ROWS: dict[Side, int] = {"train": 100_000, "test": 10_000}
FEWEST_SAMPLED_ROWS = 1_000
MOST_COLUMNS = 100
"""Of more columns there are fewer sampled rows, so that the sample fits into memory: 80 MB."""
STREAMS: dict[Side, str] = {"train": "sample", "test": "test sample"}


DRAWN_AT_A_TIME = 1 << 20


def uniform(seed: int, name: str, before: int, rows: int) -> NDArray[np.float64]:
    """Return the numbers from [0, 1) of some rows in the stream `name`: [rows].

    before: the number of rows before these.
    """
    random = stream(seed, name)
    bits = random.bit_generator
    assert isinstance(bits, np.random.PCG64)
    bits.advance(before)  # one step for each number
    return random.random(rows)


class Division(Protocol):
    """How rows are divided into training rows, test rows and, in time, rows of neither side."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns whose values say it; none if the rows' places do."""

    @property
    def identity(self) -> str:
        """Text that is equal for divisions that are."""

    def sides(self, rows: pa.Table, before: int, /) -> dict[Side, pa.Table]:
        """Return the rows of each side. before: number of rows before these."""


class FoldsOfRows(Protocol):
    """How training rows are divided into parts, of which folds are made."""

    @property
    def parts(self) -> int:
        """Number of parts, at most 255."""

    @property
    def places(self) -> tuple[FoldPlaces, ...]:
        """The parts that train and test in each fold."""

    @property
    def identity(self) -> str:
        """Text that is equal for folds that are."""

    def of(self, rows: pa.Table, before: int, /) -> NDArray[np.uint8]:
        """Return the part of each training row: [rows]. before: number of training rows before."""


@dataclass(frozen=True)
class DrawnDivision:
    """A division in which the seed draws about `fraction` of the rows as test rows.

    The side of a row depends only on the seed and on the number of rows before it: rows that are
    appended later do not change it.
    """

    seed: int
    fraction: float
    columns: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """See Division.identity."""
        return repr(self)

    def test_rows(self, before: int, rows: int) -> int:
        """Return how many of some rows are test rows. before: number of rows before these."""
        if self.fraction == 0:
            return 0
        return sum(
            int(np.count_nonzero(self._draws(begin, min(DRAWN_AT_A_TIME, before + rows - begin))))
            for begin in range(before, before + rows, DRAWN_AT_A_TIME)
        )

    def sides(self, rows: pa.Table, before: int) -> dict[Side, pa.Table]:
        """See Division.sides."""
        if self.fraction == 0:
            return {"train": rows}
        train, test = held_out.parted(rows, self._draws(before, rows.num_rows))
        return {"train": train, "test": test}

    def _draws(self, before: int, rows: int) -> NDArray[np.bool_]:
        return uniform(self.seed, "split", before, rows) < self.fraction


class PartsInTurn:
    """Folds of which each tests one part, and the others train. number: of the folds."""

    number: int

    @property
    def parts(self) -> int:
        """See FoldsOfRows.parts."""
        return self.number

    @property
    def places(self) -> tuple[FoldPlaces, ...]:
        """See FoldsOfRows.places."""
        return each_part_in_turn(self.number)


@dataclass(frozen=True)
class DrawnFolds(PartsInTurn):
    """Folds of about equally many rows that the seed draws."""

    seed: int
    number: int

    @property
    def identity(self) -> str:
        """See FoldsOfRows.identity."""
        return repr(self)

    def of(self, rows: pa.Table, before: int) -> NDArray[np.uint8]:
        """See FoldsOfRows.of."""
        draws = uniform(self.seed, "folds", before, rows.num_rows)
        folds: NDArray[np.uint8] = (draws * self.number).astype(np.uint8)
        return folds


@dataclass(frozen=True)
class Draws:
    """What is chosen of the rows of each side: the folds, and the sample that the seed draws.

    rows: number of training rows and of test rows. columns: number of encoded columns and targets.
    """

    seed: int
    folds: FoldsOfRows
    rows: dict[Side, int]
    columns: int

    def wanted(self, side: Side) -> int:
        """Return the number of rows of a side that the sample should have, if there are more."""
        wanted = SAMPLED_ROWS[side] * MOST_COLUMNS // max(MOST_COLUMNS, self.columns)
        return max(FEWEST_SAMPLED_ROWS, wanted)

    def all_sampled(self, side: Side) -> bool:
        """Return True if the sample has every row of a side."""
        return self.rows[side] <= self.wanted(side)

    def sampled(self, side: Side, before: int, rows: int) -> NDArray[np.bool_]:
        """Return True for each row of a side that the sample has: [rows].

        before: number of rows of this side before these. Of many rows each is drawn with the same
        probability, so the sample has about `wanted` rows.
        """
        if self.all_sampled(side):
            return np.ones(rows, np.bool_)
        share = self.wanted(side) / self.rows[side]
        return uniform(self.seed, STREAMS[side], before, rows) < share

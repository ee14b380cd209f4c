"""The file reports/path.csv: what the folds say of each penalty, and the weights that it gives.

`train` writes it where `train.l1` or `train.l2` is cv, else its first line alone: DVC expects every
output of a stage. Later stages read the chosen penalties there and compute no path again. Where
both are cv, every pair has its error; weights have those with the l2 of the smallest error.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError

Floats = NDArray[np.float64]

HEADER = ("target", "penalty", "l1", "l2", "mse", "mse_std_error", "nonzero")
MARKS = ("best", "one_standard_error", "chosen")
WEIGHT = "weight "
"""What stands before a column's name: no name of a column can be taken for one of the header."""


@dataclass(frozen=True)
class PairError:
    """The mean squared error of the folds with a pair of penalties, and its standard error."""

    l1: float
    l2: float
    error: float
    std_error: float


@dataclass(frozen=True, eq=False)
class PenaltyPath:
    """The penalties that the folds chose from for one target, in the order of the file.

    penalty: the one that varies; values: [values]; other: the other penalty, a constant.
    error, std_error: mean and standard error of the folds' mean squared errors, [values].
    weight: of the fit to all training rows, in the units of the table, [values, features].
    bias: [values]; zeros without an intercept.
    best, one_standard_error, chosen: places among the values.
    other_pairs: if the folds chose both penalties (then penalty is l1), those with another l2.
    """

    target: str
    penalty: Literal["l1", "l2"]
    values: Floats
    other: float
    error: Floats
    std_error: Floats
    weight: Floats
    bias: Floats
    features: tuple[str, ...]
    best: int
    one_standard_error: int
    chosen: int
    other_pairs: tuple[PairError, ...] = ()

    @property
    def l1(self) -> float:
        """The chosen lasso penalty, or the constant one."""
        return float(self.values[self.chosen]) if self.penalty == "l1" else self.other

    @property
    def l2(self) -> float:
        """The chosen ridge penalty, or the constant one."""
        return float(self.values[self.chosen]) if self.penalty == "l2" else self.other


def write(paths: Sequence[PenaltyPath], features: Sequence[str]) -> None:
    """Write reports/path.csv: a row for each target and penalty; for no paths the first line."""
    names = [f"{WEIGHT}{name}" for name in features]
    header = [*HEADER, *MARKS, *names, "bias"] if paths else [*HEADER, *MARKS]
    csv_cells.write_csv(files.PATH, header, (row for path in paths for row in _rows(path)))


def _rows(path: PenaltyPath) -> Iterator[list[Any]]:
    places = (path.best, path.one_standard_error, path.chosen)
    for place, value in enumerate(path.values.tolist()):
        l1, l2 = (value, path.other) if path.penalty == "l1" else (path.other, value)
        weight = path.weight[place]
        yield [
            *(path.target, value, l1, l2, float(path.error[place]), float(path.std_error[place])),
            int(np.count_nonzero(weight)),
            *(int(place == marked) for marked in places),
            *(*weight.tolist(), float(path.bias[place])),
        ]
    # The same penalty and target as above, without weights.
    for pair in path.other_pairs:
        errors = [path.target, pair.l1, pair.l1, pair.l2, pair.error, pair.std_error]
        yield [*errors, "", 0, 0, 0, *[""] * (len(path.features) + 1)]


def read(penalty: Literal["l1", "l2"]) -> list[PenaltyPath]:
    """Return the paths in reports/path.csv, in the order of the targets.

    penalty: the one that the folds chose; l1 if they chose both.
    Raises UserError if the file is missing or damaged, or holds no path.
    """
    try:
        rows = csv_cells.read_csv(files.PATH)
        paths = [
            _path(target, penalty, list(of_target))
            for target, of_target in groupby(rows, lambda row: row["target"])
        ]
    except FileNotFoundError:
        raise UserError(f"{files.PATH}: there is no such file; `dvc repro` makes it") from None
    except (KeyError, ValueError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(
            f"{files.PATH}: damaged ({reason}); `dvc repro -f` makes it again"
        ) from None
    if not paths:
        raise UserError(
            f"{files.PATH}: found no penalties, but train.{penalty} is cv; `dvc repro` makes them"
        )
    return paths


def _path(
    target: str, penalty: Literal["l1", "l2"], all_rows: Sequence[dict[str, str]]
) -> PenaltyPath:
    rows = [row for row in all_rows if row["nonzero"]]
    names = [name for name in rows[0] if name.startswith(WEIGHT)]
    other = "l1" if penalty == "l2" else "l2"

    def numbers(name: str) -> Floats:
        return np.array([float(row[name]) for row in rows])

    best, one_standard_error, chosen = ([row[mark] for row in rows].index("1") for mark in MARKS)
    return PenaltyPath(
        *(target, penalty, numbers(penalty), float(rows[0][other])),
        *(numbers("mse"), numbers("mse_std_error")),
        np.array([[float(row[name]) for name in names] for row in rows]),
        *(numbers("bias"), tuple(name.removeprefix(WEIGHT) for name in names)),
        *(best, one_standard_error, chosen),
        tuple(
            PairError(*(float(row[name]) for name in ("l1", "l2", "mse", "mse_std_error")))
            for row in all_rows
            if not row["nonzero"]
        ),
    )

"""The rows of a table that move a least-squares fit most."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

MOST_ROWS = 20
"""Rows that are kept for each target."""


@dataclass(frozen=True)
class Influential:
    """The rows with the largest Cook's distances for one target; of equal ones, the first ones.

    cooks: falling; places: numbers of rows before them; actual: values of the target; residual: in
    units of the fit; leverage; root: by which the residual was multiplied, the square root of a
    precision, else 1: [kept] each.
    """

    cooks: Floats
    places: Places
    actual: Floats
    residual: Floats
    leverage: Floats
    root: Floats

    @classmethod
    def of_no_rows(cls) -> "Influential":
        """Return no rows."""
        none = np.empty(0)
        return cls(none, np.empty(0, np.int64), none, none, none, none)

    def __add__(self, other: "Influential") -> "Influential":
        """Return the most influential rows of both."""
        columns = [
            np.concatenate([getattr(self, name), getattr(other, name)])
            for name in ("cooks", "places", "actual", "residual", "leverage", "root")
        ]
        order = np.lexsort((columns[1], -columns[0]))[:MOST_ROWS]
        return Influential(*(column[order] for column in columns))

    def among_later(self, cooks: Floats, before: int, *others: Floats) -> "Influential":
        """Return the rows of a block that may be among the most influential ones of both.

        cooks, others: of the rows of the block, in the order of the columns: [rows] each. before:
        number of rows before the block, which is after all rows that were added.
        """
        if len(self.cooks) == MOST_ROWS:
            chosen = np.flatnonzero(cooks > self.cooks[-1])
        elif len(cooks) > MOST_ROWS:
            chosen = np.flatnonzero(cooks >= np.partition(cooks, -MOST_ROWS)[-MOST_ROWS])
        else:
            chosen = np.arange(len(cooks))
        columns = (each[chosen] for each in others)
        return Influential(cooks[chosen], before + chosen, *columns)


@dataclass(frozen=True)
class AloneRows:
    """Rows whose leverage is 1: each alone determines a coefficient, which takes its value.

    places: numbers of rows before them: [kept]. coordinates: [kept, coordinates], the constant one
    included. actual: the values of the targets: [kept, targets].
    """

    places: Places
    coordinates: Floats
    actual: Floats

    @classmethod
    def of_no_rows(cls, coordinates: int, targets: int) -> "AloneRows":
        """Return no rows."""
        return cls(np.empty(0, np.int64), np.empty((0, coordinates)), np.empty((0, targets)))

    def __add__(self, other: "AloneRows") -> "AloneRows":
        """Return the rows of both, in their order."""
        places = np.concatenate([self.places, other.places])
        order = np.argsort(places)
        coordinates = np.concatenate([self.coordinates, other.coordinates])
        actual = np.concatenate([self.actual, other.actual])
        return AloneRows(places[order], coordinates[order], actual[order])

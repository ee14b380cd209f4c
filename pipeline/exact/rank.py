"""Independent columns of a table, found with integers: without a tolerance and without rounding."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import fmpz_mat, nmod_mat

from pipeline.exact.gram import Gram

PRIMES = (2**61 - 1, 2**59 - 55, 2**57 - 13, 2**55 - 55, 2**53 - 111)

Combination = list[tuple[int, Fraction]]
"""Columns and their factors: the sum of a combination of columns. Column 0, the ones, is last."""


def independent_columns(
    gram: Gram, columns: Sequence[int]
) -> tuple[list[int], dict[int, Combination]]:
    """Return the independent columns, and each other column as a combination of earlier ones.

    By elimination modulo a prime. A rank modulo a prime is never larger than the true rank:
    columns that are independent modulo the prime are certainly independent. For the other columns
    the combination is computed with integers, and checked; if it is wrong, the next prime is tried.
    """
    entries = [[gram.entries[i][j] for j in columns] for i in columns]
    for prime in PRIMES:
        pivots = _pivots(entries, prime)
        others = [place for place in range(len(columns)) if place not in pivots]
        combinations = _combinations(gram, columns, pivots, others)
        if combinations is not None:
            return [columns[pivot] for pivot in pivots], combinations
    raise AssertionError("five primes divide the same determinant")


def certainly_independent(gram: Gram, columns: Sequence[int]) -> list[int]:
    """Return columns that are independent of each other, from the first to the last.

    Modulo one prime: hardly ever a column is left out that is independent, too. Much faster than
    the combinations that the other columns are.
    """
    pivots = _pivots([[gram.entries[i][j] for j in columns] for i in columns], PRIMES[0])
    return [columns[pivot] for pivot in pivots]


def _pivots(entries: Sequence[Sequence[int]], prime: int) -> list[int]:
    """Return the places of the columns that are independent of earlier ones modulo `prime`."""
    size = len(entries)
    if not size:
        return []
    residues = [entry % prime for row in entries for entry in row]
    reduced, rank = nmod_mat(size, size, residues, prime).rref()
    pivots: list[int] = []
    for place in range(size):
        if len(pivots) < rank and int(reduced[len(pivots), place]):
            pivots.append(place)
    return pivots


def _combinations(
    gram: Gram, columns: Sequence[int], pivots: Sequence[int], others: Sequence[int]
) -> dict[int, Combination] | None:
    """Return each other column as a combination of the pivots; None if one is independent.

    pivots, others: places in `columns`, all of them.
    """

    def entries(rows: Sequence[int], of: Sequence[int]) -> fmpz_mat:
        return fmpz_mat([[gram.entries[columns[i]][columns[j]] for j in of] for i in rows])

    combinations: dict[int, Combination] = {columns[other]: [] for other in others}
    if not others:
        return combinations
    if not pivots:
        zero = not any(gram.entries[columns[other]][columns[other]] for other in others)
        return combinations if zero else None
    solution: Any = entries(pivots, pivots).solve(entries(pivots, others))
    if entries(others, pivots) * solution != entries(others, others):
        return None
    for j, other in enumerate(others):
        for i, pivot in enumerate(pivots):
            factor = solution[i, j]
            if factor != 0:
                assert pivot < other, "the prime took a later column for an earlier one"
                exponent = gram.exponents[columns[other]] - gram.exponents[columns[pivot]]
                exact = Fraction(int(factor.p), int(factor.q)) * Fraction(2) ** exponent
                combinations[columns[other]].append((columns[pivot], exact))
        combinations[columns[other]].sort(key=lambda term: term[0] == 0)
    return combinations

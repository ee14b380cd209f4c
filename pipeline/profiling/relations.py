"""Columns that are equal, and targets that are sums of features: sought in a sample, then proved.

A relation is one to rounding: |target − Σ c·x| ≤ 2⁻⁴⁶ · (|target| + Σ |c·x|) in every row, which
holds for decimals whatever float64 makes of them, and hardly ever by chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import kind
from pipeline.profiling.table_profile import TableProfile, blocks
from pipeline.settings.messages import show
from pipeline.tables import table
from pipeline.tables.number_texts import NumberTexts
from pipeline.tables.typed_values import is_text

Numbers = NDArray[np.float64]
TOLERANCE = 2.0**-46
MOST_FOR_PAIRS, ROWS_FOR_PAIRS = 300, 20
MOST_FEATURES_FOR_PAIRS = 60
MOST_FOR_LEAST_SQUARES = 200
MOST_TERMS_SHOWN = 6


@dataclass(frozen=True)
class Relation:
    """A column that is a linear combination of others in every row: column = Σ c·x + constant."""

    column: str
    terms: tuple[tuple[float, str], ...]
    constant: float = 0.0

    @property
    def is_copy(self) -> bool:
        """True if the column equals another one."""
        return len(self.terms) == 1 and self.terms[0][0] == 1 and self.constant == 0

    def text(self) -> str:
        """Return the relation as a formula."""
        parts = []
        for weight, name in self.terms[:MOST_TERMS_SHOWN]:
            sign = "- " if weight < 0 else "+ "
            parts.append(f"{sign}{'' if abs(weight) == 1 else f'{abs(weight):g} · '}{show(name)}")
        if len(self.terms) > MOST_TERMS_SHOWN:
            parts.append(f"and {len(self.terms) - MOST_TERMS_SHOWN} more terms")
        if self.constant:
            parts.append(f"{'-' if self.constant < 0 else '+'} {abs(self.constant):g}")
        right = " ".join(parts).removeprefix("+ ")
        return f"{show(self.column)} = {right}"


def numbers_of(values: pa.ChunkedArray, column: Column) -> Numbers:
    """Return the values of a column of numbers: [rows]; NaN for a gap."""
    if is_text(values.type):
        whole = table.one_chunk(values.cast(pa.string()))
        return NumberTexts.of(column.read, units=kind(column) == "units").read(whole)[0]
    if types.is_decimal(values.type):
        values = values.cast(pa.string())
    return table.numbers(values.cast(pa.float64(), safe=False))


@np.errstate(over="ignore", invalid="ignore")  # of numbers such as 1e308
def of(profile: TableProfile, targets: Sequence[str], leave_out: Sequence[str]) -> list[Relation]:
    """Return the targets that are sums of features, and columns that are equal, in all rows.

    leave_out: columns that are no features.
    """
    columns = {
        each.name: each
        for each in profile.columns
        if kind(each) in ("number", "units") and each.low < each.high and not each.infinite
    }
    sample = {
        name: numbers_of(profile.sample.column(profile.place(each)), each)
        for name, each in columns.items()
    }
    features = [name for name in columns if name not in targets and name not in leave_out]
    candidates = list(_copies(sample, [*features, *(t for t in targets if t in columns)]))
    copied = {each.column for each in candidates}
    for target in targets:
        if target in columns and target not in copied:
            names = [name for name in features if name not in copied]
            relation = _pair(sample, target, names) or _least_squares(sample, target, names)
            if relation:
                candidates.append(relation)
    if len(features) <= MOST_FEATURES_FOR_PAIRS:
        for place, name in enumerate(features):
            if name not in copied and (relation := _pair(sample, name, features[:place])):
                candidates.append(relation)
    return _proved(profile, columns, candidates) if candidates else []


def _copies(sample: Mapping[str, Numbers], names: Sequence[str]) -> Iterator[Relation]:
    first: dict[bytes, str] = {}
    for name in names:
        values = sample[name] + 0.0  # −0 is 0
        other = first.setdefault(np.where(np.isnan(values), np.nan, values).tobytes(), name)
        if other != name:
            yield Relation(name, ((1.0, other),))


def _pair(sample: Mapping[str, Numbers], column: str, names: Sequence[str]) -> Relation | None:
    """Return a column as a sum or a difference of two of `names`."""
    y = sample[column]
    few = np.flatnonzero(~np.isnan(y))[:ROWS_FOR_PAIRS]
    if len(few) < 4 or not 2 <= len(names) <= MOST_FOR_PAIRS:
        return None
    x = np.column_stack([sample[name][few] for name in names])
    y = y[few, None]
    for place, name in enumerate(names):
        first = x[:, [place]]
        for sign, part in ((1.0, y - first), (-1.0, y + first)):
            near = abs(part - x) <= 1e-9 * (abs(x) + abs(y) + abs(first))
            for other in np.flatnonzero(near.all(axis=0)).tolist():
                relation = Relation(column, ((1.0, names[other]), (sign, name)))
                if other != place and _holds(relation, sample, 4):
                    return relation
    return None


def _least_squares(
    sample: Mapping[str, Numbers], target: str, names: Sequence[str]
) -> Relation | None:
    """Return the target as a linear combination of all features, found by least squares."""
    names = [name for name in names if not np.isnan(sample[name]).any()]
    rows = ~np.isnan(sample[target])
    if not 0 < len(names) <= MOST_FOR_LEAST_SQUARES or rows.sum() < len(names) + 4:
        return None
    kept = np.flatnonzero(rows)[:5_000]
    x = np.column_stack([sample[name][kept] for name in names])
    y = sample[target][kept]
    scale = abs(x).max(axis=0)
    scale[scale == 0] = 1
    design = np.column_stack([x / scale, np.ones(len(kept))])
    weights, *_ = np.linalg.lstsq(design, y)
    residual = abs(y - design @ weights).max()
    if not residual <= 1e-9 * abs(y).max():
        return None
    per_unit = weights[:-1] / scale
    size = abs(weights) / max(abs(y).max(), 1e-300)
    terms = tuple(
        (_rounded(weight), name)
        for weight, name, part in zip(per_unit.tolist(), names, size, strict=False)
        if part > 1e-9
    )
    constant = _rounded(float(weights[-1])) if size[-1] > 1e-9 else 0.0
    relation = Relation(target, terms, constant)
    return relation if terms and _holds(relation, sample, 4, 1e-9) else None


def _rounded(weight: float) -> float:
    """Return the short decimal that a weight is to nine digits, if there is one."""
    short = float(f"{weight:.6g}")
    return short if abs(weight - short) <= 1e-9 * abs(weight) else weight


def _holds(
    relation: Relation,
    values: Mapping[str, Numbers],
    fewest: int = 0,
    tolerance: float = TOLERANCE,
) -> bool:
    y = values[relation.column]
    total = np.full(len(y), relation.constant)
    size = abs(y) + abs(relation.constant)
    for weight, name in relation.terms:
        total = total + weight * values[name]
        size = size + abs(weight * values[name])
    known = ~np.isnan(y)
    if not relation.is_copy:
        known &= ~np.isnan(total)
    elif (np.isnan(y) != np.isnan(total)).any():
        return False
    return bool(known.sum() >= fewest and (abs(y - total) <= tolerance * size)[known].all())


def _proved(
    profile: TableProfile, columns: Mapping[str, Column], candidates: list[Relation]
) -> list[Relation]:
    """Return the relations that hold in all rows of the file."""
    if profile.sample.num_rows == profile.rows:
        return candidates
    left = candidates
    for block in blocks(profile.path, profile.read):
        names = {relation.column for relation in left}
        names |= {name for relation in left for _, name in relation.terms}
        values = {
            name: numbers_of(block.column(profile.place(columns[name])), columns[name])
            for name in names
        }
        left = [each for each in left if _holds(each, values, 0, 1e-9)]
    return left

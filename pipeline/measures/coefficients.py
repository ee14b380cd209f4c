"""Coefficients of a linear model beside the reference's: coefficients.csv, and its warnings."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.exact.least_squares import Fit
from pipeline.learning import fit_messages
from pipeline.learning.line import Line
from pipeline.measures.diagnostics import RobustErrors
from pipeline.settings import csv_cells

ALONE = "determined by one row, whose error std_error_hc1 leaves out"
"""Note of a term: std_error tells how uncertain it is, robust errors do not."""

CLASSICAL = ("target", "term", "value", "reference", "std_error", "t", "p", "ci_low", "ci_high")


def header(robust: RobustErrors) -> tuple[str, ...]:
    """Return the header of coefficients.csv."""
    clustered = () if robust.clustered is None else ("std_error_clustered",)
    return (*CLASSICAL, "std_error_hc1", "std_error_hc3", *clustered, "vif", "note")


def rows(
    line: Line | None,
    reference: Fit,
    dtype: str,
    exact_targets: Mapping[str, str],
    robust: RobustErrors,
    penalized: bool = False,
) -> Iterator[list[Any]]:
    """Return the rows of coefficients.csv: the model's value, the reference's, and its errors.

    line: the model; there are no rows if it is not linear. dtype: precision of the model file.
    exact_targets: sentences of fit_messages, which are the note of a target's last term that does
    not depend on others; the note of a column that does says how.
    robust: further errors of the reference.
    penalized: True if the model has a penalty, so that its values have no errors of their own.
    A value that does not exist, such as a standard error without degrees of freedom, is None.
    """
    if line is None:
        return
    terms = [*reference.features, *(["bias"] if reference.intercept else [])]
    notes = {column.name: fit_messages.dependent(column) for column in reference.dependent}
    independent = [place for place, term in enumerate(terms) if term not in notes]
    for index, target in enumerate(reference.targets):
        slopes = csv_cells.shortest(line.weight[index].astype(dtype))
        # The file of a model that subtracts means has no intercept: here it is computed.
        kind = "float64" if line.centre.any() else dtype
        (intercept,) = csv_cells.shortest(line.intercepts()[[index]].astype(kind))
        values = [*slopes, intercept]
        best = [*reference.weight[index], reference.bias[index]]
        columns = [reference.std_error, reference.t, reference.p]
        columns += [reference.ci_low, reference.ci_high, robust.hc1, robust.hc3]
        if robust.clustered is not None:
            columns.append(robust.clustered)
        inflation = [*robust.inflation, *([math.nan] if reference.intercept else [])]
        for place, term in enumerate(terms):
            note = notes.get(term, "")
            if note:
                weight = "weight 0" if values[place] == 0 else "the reference leaves it out"
                note += f"; {weight}"
            elif penalized and values[place] == 0:
                note = "0 by the penalty"
            elif place == independent[-1]:
                note = exact_targets.get(target, "")
            if not note and _is_alone(robust, index, place):
                note = ALONE
            errors = [*(column[index, place] for column in columns), inflation[place]]
            yield [
                target,
                term,
                values[place],
                None if term in reference.dropped else float(best[place]),
                *(None if math.isnan(error) else float(error) for error in errors),
                note,
            ]


def _is_alone(robust: RobustErrors, target: int, term: int) -> bool:
    """Return True if a row of leverage 1 determines a term."""
    return math.isnan(robust.hc3[target, term]) and not math.isnan(robust.hc1[target, term])


def warnings(reference: Fit) -> list[str]:
    """Return one sentence for each column that makes the coefficients doubtful."""
    terms = len(reference.features) + reference.intercept
    if reference.rows < terms:
        return [
            f"{reference.rows} rows for {terms} numbers: the reference leaves"
            f" {len(reference.dependent)} features out"
        ]
    return [
        f"{fit_messages.dependent(column)}: the reference leaves it out"
        for column in reference.dependent
    ]

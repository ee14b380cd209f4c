"""Rows to plot, and the texts of a plot."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sums import part_of

from pipeline.learning.line import Line
from pipeline.report.model_errors import Errors, Predictor
from pipeline.report.split import Split


def line(weight: float, bias: float) -> Line:
    return Line(np.array([[weight]]), np.array([bias]), np.zeros(1))


def measured(rows: NDArray[np.float64], targets: int, predict: Predictor) -> Split:
    """Return rows as a split. rows: features, then targets: [rows, columns]."""
    none = Errors.of_no_rows(rows.shape[1], targets, with_squares=True)
    return Split.of(part_of(rows), none.with_later(rows, predict, 0), rows, predict)


def split(x: list[float], y: list[float]) -> Split:
    """Return rows of one feature and one target, with x as the predictions."""
    return measured(np.column_stack([x, y]), 1, lambda x: x)


def texts(path: Path) -> list[str]:
    """Return the texts of a plot, which matplotlib writes as comments beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())

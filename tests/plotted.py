"""Rows to plot, and the texts of a plot."""

import re
from pathlib import Path

import numpy as np

from pipeline.exact.gram import gram_matrix
from pipeline.learning.line import Line
from pipeline.report.metrics import Split


def line(weight: float, bias: float) -> Line:
    return Line(np.array([[weight]]), np.array([bias]), np.zeros(1))


def split(x: list[float], y: list[float]) -> Split:
    """Return rows, with the actual values as predictions."""
    values = np.column_stack([x, y])
    return Split(values[:, :1], values[:, 1:], values[:, 1:], gram_matrix(values))


def texts(path: Path) -> list[str]:
    """Return the texts of a plot, which matplotlib writes as comments beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())

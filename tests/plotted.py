"""Rows to plot, and the texts of a plot with their places."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.text import Text
from numpy.typing import NDArray
from sums import part_of

from pipeline.learning.line import Line
from pipeline.measures.model_errors import Errors, Predictor
from pipeline.measures.split import Split


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


@dataclass
class Drawn:
    """Texts that were drawn, each with its box in points: left, bottom, right, top."""

    by_text: dict[int, tuple[str, tuple[float, ...], float]] = field(default_factory=dict)
    """By the text's identity: matplotlib draws twice, first to find the places."""
    size: tuple[float, float] = (0.0, 0.0)

    @property
    def boxes(self) -> list[tuple[str, tuple[float, ...], float]]:
        """The texts, with their boxes and the sizes of their letters."""
        return [*self.by_text.values()]

    @property
    def shown(self) -> list[str]:
        """The texts."""
        return [text for text, _, _ in self.boxes]

    def overlaps(self) -> list[tuple[str, str]]:
        """Return the pairs of texts that lie over each other by more than half a point."""
        return [
            (a, b)
            for (a, first, _), (b, second, _) in combinations(self.boxes, 2)
            if first[0] + 0.5 < second[2]
            and second[0] + 0.5 < first[2]
            and first[1] + 0.5 < second[3]
            and second[1] + 0.5 < first[3]
        ]

    def outside(self) -> list[str]:
        """Return the texts that the edge of the picture cuts."""
        wide, high = self.size
        return [
            text
            for text, (left, bottom, right, top), _ in self.boxes
            if left < -0.5 or bottom < -0.5 or right > wide + 0.5 or top > high + 0.5
        ]


@contextmanager
def drawn_texts() -> Iterator[Drawn]:
    """Yield the texts of the one picture that is drawn in this block."""
    drawn = Drawn()
    draw = Text.draw

    def recorded(self: Text, renderer: RendererBase) -> None:
        draw(self, renderer)
        if (
            self.get_visible()
            and self.get_text().strip()
            and isinstance(renderer, MixedModeRenderer)
        ):
            figure = self.get_figure(root=True)
            assert figure is not None
            drawn.size = float(figure.bbox.width), float(figure.bbox.height)
            box = tuple(self.get_window_extent(renderer).extents)
            drawn.by_text[id(self)] = (self.get_text(), box, float(self.get_fontsize()))

    with patch.object(Text, "draw", recorded):
        yield drawn

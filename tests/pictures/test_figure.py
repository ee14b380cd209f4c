"""The bytes of a plot depend on what it shows, and on nothing else."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from plotted import line, split, texts

from pipeline.pictures import fit_plot, loss_plot


def test_names_with_dollar_signs_are_not_formulas(tmp_path: Path) -> None:
    rows = split([1.0], [2.0])
    path = tmp_path / "fit.svg"
    fit_plot.draw(path, rows, "x", ["price_$ of_$"], np.empty((0, 1)), line(2.0, 0.0).predict)
    assert "price_$ of_$ over x" in texts(path)


def test_a_users_style_does_not_change_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> bytes:
        path = tmp_path / "loss.svg"
        loss_plot.draw(path, [2.0, 1.0], None, "loss")
        return path.read_bytes()

    first = drawn()
    monkeypatch.setitem(mpl.rcParams, "font.size", 20.0)
    monkeypatch.setitem(mpl.rcParams, "svg.hashsalt", None)
    assert drawn() == first

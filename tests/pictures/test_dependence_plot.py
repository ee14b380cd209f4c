"""The picture has a panel for each column, with its name, and the same bytes each time."""

from pathlib import Path

import numpy as np
from plotted import texts

from pipeline.measures.partial_dependence import Dependence
from pipeline.pictures import dependence_plot


def curve(name: str, values: list[object], targets: int = 1, growth: float = 0.5) -> Dependence:
    array = np.array(values)
    kind = {"U": "category", "M": "date"}.get(array.dtype.kind, "number")
    mean = np.arange(len(values) * targets, dtype=float).reshape(-1, targets)
    rows = np.repeat(mean[:, :1], 40, axis=1) + np.arange(40)
    rug = array[:0] if kind == "category" else array
    return Dependence(name, kind, array, rug, mean, rows, growth)  # type: ignore[arg-type]


CURVES = [
    curve("Größe in m²", [1.0, 2.0, 5.0]),
    curve("heating", ["gas", "oil", ""], growth=-0.25),
    curve("sold", [np.datetime64("2020-01-05"), np.datetime64("2020-03-01")]),
]


def test_each_column_has_a_panel_with_its_name_and_its_importance(tmp_path: Path) -> None:
    path = tmp_path / "dependence.svg"
    dependence_plot.draw(path, CURVES, ["price"])
    shown = {*texts(path)}
    assert {"heating", "sold", "gas", "oil", "(missing)", "price"} <= shown
    assert {"shuffled: error +0.5", "shuffled: error −0.25"} <= shown
    assert "Größe in m²" in shown
    assert dependence_plot.TITLE in shown
    first = path.read_bytes()
    dependence_plot.draw(path, CURVES, ["price"])
    assert path.read_bytes() == first


def test_several_targets_have_a_legend_and_no_curves_of_rows(tmp_path: Path) -> None:
    sizes = []
    for targets in (["price"], ["price", "rent"]):
        path = tmp_path / f"{len(targets)}.svg"
        dependence_plot.draw(path, [curve("area", [1.0, 2.0], len(targets))], targets)
        sizes.append(path.read_text().count('id="line2d_'))
    assert {"price", "rent", "price, rent"} <= {*texts(path)}
    assert sizes[0] > sizes[1] + 10

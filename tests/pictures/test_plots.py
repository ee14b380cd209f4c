"""Each job gets the plots that show something for it, and no others."""

from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from conftest import WIDE, job
from mixed_tables import FEATURES, QUERIES, mixed_job, put_mixed
from plotted import texts

from pipeline import evaluate, generate, train
from pipeline.settings import files

RESIDUALS = {"predicted", "quantiles", "residuals"}


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({}, {"fit", "loss"}),
        ({"train__epochs": 1}, {"fit"}),
        ({"train__optimizer": "exact"}, {"fit"}),
        (WIDE, {"coefficients", "loss", "predicted", "quantiles", "residuals"}),
        (
            {"data__generate__x": None, "data__generate__rows": 30, "data__test_fraction": 0.3,
             "train__lr": 0.001},
            {"fit", "loss", "predicted", "quantiles", "residuals"},
        ),
        (
            {"data__features": ["a", "b"], "data__generate__x": [[1.0, 0.0], [0.0, 1.0]],
             "data__generate__weight": [[1.0], [1.0]], "evaluate__queries": [],
             "model__bias": False, "train__optimizer": "exact"},
            {"coefficients"},
        ),
        (WIDE | {"model__hidden": [4]}, {"dependence", "loss"} | RESIDUALS),
        ({"model__hidden": [4]}, {"fit", "loss"}),
    ],
)  # fmt: skip
def test_a_plot_that_would_show_nothing_is_not_drawn(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], drawn: set[str]
) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    files.PLOTS.mkdir(parents=True)
    (files.PLOTS / "old.svg").touch()
    for each in (generate, train, evaluate):
        each.main(job(**changes))
    assert {path.stem for path in files.PLOTS.iterdir()} == drawn


@pytest.mark.parametrize(
    ("names", "drawn"),
    [
        (["area", "age", "heating", "district", "sold"], {"coefficients"}),
        (["area"], {"fit"}),
        (["age"], {"coefficients"}),  # with a number that says whether it was missing
        (["heating"], {"coefficients"}),
        (["sold"], {"coefficients"}),
    ],
)
def test_a_curve_is_drawn_over_a_number_only(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], drawn: set[str]
) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    chosen = {name: FEATURES[name] for name in names}
    queries = [{name: query[name] for name in names} for query in QUERIES]
    params = mixed_job(data__features=chosen, evaluate__queries=queries)
    put_mixed(params=params)
    for each in (train, evaluate):
        each.main(params)
    assert {path.stem for path in files.PLOTS.iterdir()} == drawn | RESIDUALS | {"influence"}
    if "heating" in names:
        shown = texts(files.PLOTS / "coefficients.svg")
        assert {"heating: gas (reference)", "heating: oil", "heating: (missing)"} <= {*shown}

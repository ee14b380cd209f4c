"""A penalized model is told as such: in the summary, the card and the picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from plotted import texts

from pipeline.exact.penalties import Penalty
from pipeline.learning.path_file import PairError, PenaltyPath
from pipeline.measures import metrics
from pipeline.pictures import path_plot
from pipeline.report import penalty, summary

REFERENCE = {"loss": 100.0, "rmse": 2.0, "gap": 3.5}
METRICS = {
    "penalty": {"l1": {"y": 0.0}, "l2": {"y": 0.25}},
    "cv": {"rmse": {"mean": 31407.26, "std": 11640.67}, "r2": {"mean": 0.83, "std": 0.128}},
    "reference": REFERENCE,
}


def test_a_penalized_model_is_not_called_a_bad_optimum() -> None:
    assert penalty.words({}) is None
    assert penalty.words(METRICS) == "ridge, l2 0.25"
    two = metrics.of_penalties([Penalty(0.5, 0.0), Penalty(0.1, 2.0)], ["y", "z"])
    assert penalty.words(two) == "y: lasso, l1 0.5, z: elastic net, l1 0.1, l2 2"
    assert summary.gap(REFERENCE, is_linear=True, is_penalized=True) == (
        "no penalty   loss 100 by exact least squares; the penalty costs 3.5 on the training rows,"
        " for smaller errors on new ones"
    )
    params = {"train.l1": 0.0, "train.l2": "cv", "train.reduction": "sum", "data.folds": 5}
    told = penalty.for_readers(METRICS, params)
    assert told.startswith(
        "**The model is penalized** (ridge, l2 0.25; chosen by cross-validation)"
    )
    assert "no standard errors of their own" in told
    folds, beside = penalty.of_folds(METRICS, params)
    assert "root mean square error 31407.3 ± 12000, R² 0.83 ± 0.13" in folds
    assert beside.startswith("The same folds have chosen the penalty")
    (folds,) = penalty.of_folds(METRICS, params | {"train.l2": 0.25})
    assert "root mean square error" in folds
    assert not list(penalty.of_folds({}, params))
    in_time = params | {"data.folds": {"number": 4, "by": "sold", "gap": 7}}
    assert next(penalty.of_folds(METRICS, in_time)).startswith(
        "Cross-validation in 4 folds in time by `sold`, each predicted by a fit to earlier rows,"
        " with a gap of 7 days: root mean square error "
    )
    nothing = {"mean": None, "std": None}
    (told,) = penalty.of_folds({"cv": {"rmse": nothing, "r2": nothing}}, params)
    assert told.endswith(
        " has no figures, because fewer rows train for a fold than the model has numbers."
    )


def test_the_picture_marks_the_choice(tmp_path: Path) -> None:
    values = np.geomspace(1e3, 1e-6, 20)
    path = PenaltyPath(
        *("price_$", "l2", values, 0.0, (np.log(values) + 1) ** 2, np.ones(20)),
        *(np.outer(1 / (1 + values), [1.0, -2.0]), np.zeros(20), ("a", "b")),
        best=7, one_standard_error=5, chosen=5,
    )  # fmt: skip
    for name in ("one.svg", "again.svg"):
        path_plot.draw(tmp_path / name, [path], np.array([1.0, 2.0]))
    shown = texts(tmp_path / "one.svg")
    assert f"smallest error: {values[7]:.3g}" in shown
    assert f"one standard error, chosen: {values[5]:.3g}" in shown
    assert {"a", "b", "train.l2"} <= set(shown)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()
    many = tmp_path / "many.svg"
    path_plot.draw(many, [path, path], np.array([1.0, 2.0]))
    assert shown.count("price_$") == 0
    assert texts(many).count("price_$") == 2
    assert not any("targets)" in text for text in texts(many))
    path_plot.draw(many, [path] * 6, np.array([1.0, 2.0]))
    assert "(the first 4 of 6 targets)" in " ".join(texts(many))
    pairs = (PairError(1.0, 0.5, 9.0, 1.0),)
    both = replace(path, penalty="l1", other=0.25, other_pairs=pairs, error=values + 1)
    path_plot.draw(many, [both], np.array([1.0, 2.0]))
    assert "train.l1, with train.l2 0.25" in texts(many)
    # Of errors that span a thousandfold; drawn as numbers, not as formulas.
    assert {"500", "1,000"} <= set(texts(many))
    perfect = replace(path, error=np.zeros(20), std_error=np.zeros(20))
    path_plot.draw(many, [perfect], np.array([1.0, 2.0]))

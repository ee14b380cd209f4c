"""`dvc plots` draws the columns that its titles name."""

import json
from typing import Any

from conftest import Clone


def test_dvc_plots_draw_the_answers_and_both_losses(clone: Clone) -> None:
    checkout = clone("plots")
    history = checkout.path / "reports/history.csv"
    history.write_text("epoch,loss,test_loss\n1,2.0,3.0\n2,1.0,2.5\n")
    # The tutorial's: the line beside its model has an interval, the model has none.
    predictions = checkout.path / "reports/predictions.csv"
    header = ["x", "y", "y reference", "y reference low 95%", "y reference high 95%"]
    predictions.write_text(f"{','.join(header)}\n4.0,7.56,8.0,7.9,8.1\n")
    told = checkout("dvc", "plots", "show", "--json")
    drawn: dict[str, Any] = json.loads(told[told.index("{") :])
    assert "errors" not in drawn
    (answers,) = drawn["data"]["reports/predictions.csv"]
    assert answers["content"]["title"] == "Answers to the queries"
    (row,) = answers["content"]["data"]["values"]
    # The template takes the last column's name, and cuts its ending off.
    line, target, *_ = (each["calculate"] for each in answers["content"]["transform"])
    assert line == "slice('y reference high 95%', 0, -9)"
    assert "' (reference|model)$'" in target, "whose interval it is: y reference, y model"
    assert {*header} <= {*row}
    (losses,) = drawn["data"]["reports/history.csv"]
    fold = losses["content"]["transform"][0]
    assert fold["fold"] == ["loss", "test_loss"]
    rows = losses["content"]["data"]["values"]
    assert [[float(row[name]) for name in fold["fold"]] for row in rows] == [[2, 3], [1, 2.5]]
    assert losses["content"]["encoding"]["y"]["field"] == fold["as"][1]


def test_dvc_compares_paths_metrics_and_settings(clone: Clone) -> None:
    checkout = clone("path")
    path = checkout.path / "reports/path.csv"
    path.write_text(
        "target,penalty,l1,l2,mse,mse_std_error,nonzero,best,one_standard_error,chosen\n"
        "y,10.0,0.0,10.0,3.0,0.5,1,0,0,0\ny,1.0,0.0,1.0,2.0,0.25,1,1,1,1\n"
    )
    metrics = checkout.path / "reports/metrics.json"
    metrics.write_text('{"cv": {"rmse": {"mean": 1.5}}, "penalty": {"l2": {"y": 1.0}}}')
    params = checkout.path / "params.yaml"
    params.write_text(params.read_text().replace("  l2: 0.0", "  l2: cv"))
    told = checkout("dvc", "plots", "diff", "--json")
    drawn: dict[str, Any] = json.loads(told[told.index("{") :])
    assert "errors" not in drawn
    (plot,) = drawn["data"]["reports/path.csv"]
    rows = plot["content"]["data"]["values"]
    assert [(row["penalty"], row["mse"], row["rev"]) for row in rows] == [
        ("10.0", "3.0", "workspace"),
        ("1.0", "2.0", "workspace"),
    ]
    assert plot["content"]["transform"][-1]["calculate"] == "toNumber(datum.penalty)"
    assert "cv.rmse.mean" in checkout("dvc", "metrics", "diff")
    assert "train.l2" in checkout("dvc", "params", "diff")

"""`dvc plots` draws the columns that its titles name."""

import json
from typing import Any

from conftest import Clone


def test_dvc_plots_draw_the_answers_and_both_losses(clone: Clone) -> None:
    checkout = clone("plots")
    history = checkout.path / "reports/history.csv"
    history.write_text("epoch,loss,test_loss\n1,2.0,3.0\n2,1.0,2.5\n")
    told = checkout("dvc", "plots", "show", "--json")
    drawn: dict[str, Any] = json.loads(told[told.index("{") :])
    assert "errors" not in drawn
    (answers,) = drawn["data"]["reports/predictions.csv"]
    assert answers["content"]["title"]["text"] == "Answers to the queries"
    assert answers["content"]["layer"][0]["encoding"]["y"]["field"] == "y"
    (losses,) = drawn["data"]["reports/history.csv"]
    fold = losses["content"]["transform"][0]
    assert fold["fold"] == ["loss", "test_loss"]
    rows = losses["content"]["data"]["values"]
    assert [[float(row[name]) for name in fold["fold"]] for row in rows] == [[2, 3], [1, 2.5]]
    assert losses["content"]["encoding"]["y"]["field"] == fold["as"][1]

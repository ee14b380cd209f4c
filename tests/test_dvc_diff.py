"""`dvc metrics diff`, `dvc params diff` and `dvc plots diff` work on what the pipeline writes."""

import json
from typing import Any

import pytest
from conftest import Checkout, Clone

REPORTS = ("coefficients.csv", "history.csv", "predictions.csv")


def asked(checkout: Checkout, *command: str) -> Any:
    """Return the JSON that a command of DVC prints."""
    text = checkout("dvc", *command, "--json")
    return json.loads(text[min(text.find(mark) for mark in "{[" if mark in text) :])


@pytest.mark.slow
def test_dvc_compares_two_commits(clone: Clone) -> None:
    checkout = clone("diff")
    path = checkout.path / "params.yaml"
    path.write_text(path.read_text().replace("  lr: 0.01\n", "  lr: 0.02\n"))
    for stage in ("generate", "train", "evaluate"):
        checkout.stage(stage)
    checkout("git", "commit", "--quiet", "--all", "--message=another learning rate")

    for revisions in (("HEAD~1",), ("HEAD~1", "HEAD")):
        params = asked(checkout, "params", "diff", *revisions)
        assert params == {"params.yaml": {"train.lr": {"old": 0.01, "new": 0.02, "diff": 0.01}}}

        (metrics,) = asked(checkout, "metrics", "diff", *revisions).values()
        written = json.loads((checkout.path / "reports/metrics.json").read_text())
        change = metrics["train.mse"]
        assert change["new"] == written["train"]["mse"] != change["old"]
        assert change["diff"] == change["new"] - change["old"]
        assert {"train.rmse", "train.loss", "prediction.query_1.y"} <= set(metrics)

        drawn = asked(checkout, "plots", "diff", *revisions)
        assert not drawn.get("errors"), drawn["errors"]
        for name in REPORTS:
            (plot,) = drawn["data"][f"reports/{name}"]
            named = {row["rev"] for row in plot["content"]["data"]["values"]}
            assert len(named) == 2, f"{name} has the rows of both results"
        pictures = drawn["data"]["reports/plots/fit.svg"]
        assert len(pictures) == 2

"""`dvc metrics diff`, `dvc params diff` and `dvc plots diff` work on what the pipeline writes."""

import json
from typing import Any

import pytest
from conftest import Checkout, Clone, job_text

REPORTS = ("coefficients.csv", "history.csv", "predictions.csv")


def asked(checkout: Checkout, *command: str) -> Any:
    """Return the JSON that a command of DVC prints."""
    text = checkout("dvc", *command, "--json")
    return json.loads(text[min(text.find(mark) for mark in "{[" if mark in text) :])


@pytest.mark.slow
def test_dvc_compares_two_commits(clone: Clone) -> None:
    checkout = clone("diff")
    for l2, stages in ((0.5, ("generate", "train", "evaluate")), ("cv", ("train", "evaluate"))):
        (checkout.path / "params.yaml").write_text(
            job_text(
                data__features=["a", "b"],
                data__generate={"x": None, "rows": 60, "weight": None, "bias": [1.0], "noise": 0.5},
                data__test_fraction=0.2,
                train__optimizer="exact",
                train__l2=l2,
                evaluate__queries=[[1.0, 2.0]],
            )
        )
        for stage in stages:
            checkout.stage(stage)
        checkout("git", "add", "--all")
        checkout("git", "commit", "--quiet", f"--message=l2 {l2}")

    for revisions in (("HEAD~1",), ("HEAD~1", "HEAD")):
        params = asked(checkout, "params", "diff", *revisions)
        assert params == {"params.yaml": {"train.l2": {"old": 0.5, "new": "cv"}}}

        (metrics,) = asked(checkout, "metrics", "diff", *revisions).values()
        written = json.loads((checkout.path / "reports/metrics.json").read_text())
        change = metrics["cv.rmse.mean"]
        assert change["new"] == written["cv"]["rmse"]["mean"] != change["old"]
        assert change["diff"] == change["new"] - change["old"]
        changed = {"train.rmse", "train.loss", "test.rmse", "penalty.l2.y", "prediction.query_1.y"}
        assert changed <= set(metrics)

        drawn = asked(checkout, "plots", "diff", *revisions)
        assert not drawn.get("errors"), drawn["errors"]
        for name in REPORTS:
            (plot,) = drawn["data"][f"reports/{name}"]
            named = {row["rev"] for row in plot["content"]["data"]["values"]}
            assert len(named) == 2, f"{name} has the rows of both results"
        (path,) = drawn["data"]["reports/path.csv"]
        values = path["content"]["data"]["values"]
        assert len(values) >= 100
        assert len({row["rev"] for row in values}) == 1, "the other result has no path"
        assert len(drawn["data"]["reports/plots/coefficients.svg"]) == 2
        assert len(drawn["data"]["reports/plots/path.svg"]) == 1

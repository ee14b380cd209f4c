"""A job with a chosen penalty, from the table to the model card."""

import json
from pathlib import Path

import numpy as np
import pytest
from fitted_tables import fit, fit_job, write_table

from pipeline import generate, train
from pipeline.learning.path_file import read
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError


@pytest.mark.slow
@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_penalized_cross_validated_model(
    workspace: Path, capsys: pytest.CaptureFixture[str], penalty: str
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 8)) * [1, 10, 100, 1, 1, 1, 1, 1]
    y = x[:, :1] + 3 * random.normal(size=(40, 1))
    write_table("t.csv", [*"abcdefgh", "y"], np.hstack([x, y]))
    fit(fit_job("t.csv", train__optimizer="exact"))
    plain = json.loads(files.METRICS.read_text())
    assert not (files.PLOTS / "path.svg").exists()
    assert len(files.PATH.read_text().splitlines()) == 1
    assert "penalty" not in plain
    fit(fit_job("t.csv", train__optimizer="exact", **{f"train__{penalty}": "cv"}))
    metrics = json.loads(files.METRICS.read_text())
    (path,) = read(penalty)  # type: ignore[arg-type]
    chosen = path.values[path.chosen]
    assert f"train.{penalty}: cv chose {chosen:.6g} for y" in capsys.readouterr().out
    assert metrics["penalty"][penalty] == {"y": chosen}
    assert metrics["cv"]["rmse"]["mean"] < plain["cv"]["rmse"]["mean"]
    assert metrics["cv"]["r2"]["mean"] > plain["cv"]["r2"]["mean"]
    assert metrics["reference"]["loss"] == plain["reference"]["loss"]
    rows = csv_cells.read_csv(files.COEFFICIENTS)
    shipped = np.array([float(row["value"]) for row in rows])
    np.testing.assert_allclose(
        shipped, [*path.weight[path.chosen], path.bias[path.chosen]], rtol=1e-6
    )
    assert np.abs(shipped[:8]).sum() < sum(abs(float(row["reference"])) for row in rows[:8])
    assert all(row["std_error"] for row in rows)
    assert (files.PLOTS / "path.svg").exists()
    assert "**The model is penalized**" in files.CARD.read_text()


@pytest.mark.slow
def test_both_penalties_chosen_by_the_folds(workspace: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(40, 8)) + 2 * random.normal(size=(40, 1))
    y = x[:, :4].sum(axis=1, keepdims=True) + 3 * random.normal(size=(40, 1))
    write_table("t.csv", [*"abcdefgh", "y"], np.hstack([x, y]))
    fit(fit_job("t.csv", train__optimizer="exact", train__l1="cv", train__l2="cv"))
    metrics = json.loads(files.METRICS.read_text())
    (path,) = read("l1")
    assert metrics["penalty"] == {"l1": {"y": path.l1}, "l2": {"y": path.l2}}
    assert path.l1 > 0
    assert path.l2 > 0
    assert f"elastic net, l1 {path.l1:.6g}, l2 {path.l2:.6g}" in files.CARD.read_text()
    errors = [float(row["mse"]) for row in csv_cells.read_csv(files.PATH)]
    assert len(errors) == 1000
    assert min(errors) == path.error[path.chosen]


def test_folds_that_cannot_choose(workspace: Path) -> None:
    write_table("few.csv", ["a", "y"], np.random.default_rng(0).normal(size=(3, 2)))
    params = fit_job("few.csv", train__optimizer="exact", train__l2="cv")
    generate.main(params)
    with pytest.raises(UserError, match=r"train.l2: found cv, but no training row is in fold"):
        train.main(params)

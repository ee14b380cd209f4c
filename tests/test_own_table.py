"""A user's own table: each mistake in it is one message, and its rows held out are measured."""

from pathlib import Path

import numpy as np
import pytest
from conftest import job, tracked_runs
from fitted_tables import fit, fit_job, write_table
from stage_runs import run_stages

from pipeline import evaluate, export, generate, train
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError


def test_a_column_that_does_not_vary_cannot_be_scaled(workspace: Path) -> None:
    write_table("flat.csv", ["a", "b", "y"], np.array([[1.0, 7, 1], [2, 7, 2], [3, 7, 3]]))
    params = fit_job("flat.csv", model__standardize=True)
    generate.main(params)
    with pytest.raises(UserError, match=r"model.standardize: b is 7 in every training row"):
        train.main(params)


@pytest.mark.slow
def test_dependent_columns_are_named_and_refused_by_exact(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).integers(0, 100, (30, 2)).astype(float)
    y = x @ [1, 2] + np.arange(30) % 3
    columns = np.column_stack([x, x[:, 0], 2 * x[:, 0] - x[:, 1] + 5, y])
    write_table("same.csv", ["a", "b", "copy", "mix", "y"], columns)
    params = fit_job("same.csv", train__optimizer="exact", train__dependent="refuse")
    generate.main(params)
    with pytest.raises(UserError) as caught:
        train.main(params)
    told = str(caught.value)
    assert "copy is a copy of a" in told
    assert "mix = 2·a − b + 5" in told
    assert "set train.dependent to drop" in told
    fit(fit_job("same.csv", train__optimizer="exact"))
    assert "warning: copy is a copy of a: the reference leaves it out" in capsys.readouterr().err
    rows = {row["term"]: row for row in csv_cells.read_csv(files.COEFFICIENTS)}
    assert rows["copy"]["reference"] == rows["copy"]["std_error"] == ""
    assert float(rows["copy"]["value"]) == 0

    shares = np.round(np.random.default_rng(0).dirichlet([1, 1, 1], 50) * 100, 2)
    shares[:, 2] = np.round(100 - shares[:, 0] - shares[:, 1], 2)
    write_table("shares.csv", ["p", "q", "r", "y"], np.column_stack([shares, shares[:, 0] % 7]))
    params = fit_job("shares.csv", train__optimizer="exact", train__dependent="refuse")
    generate.main(params)
    with pytest.raises(UserError, match="p, q, r say the same, to within the rounding"):
        train.main(params)


def test_fewer_rows_than_numbers_to_fit(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table("few.csv", ["a", "b", "c", "y"], np.random.default_rng(0).normal(size=(3, 4)))
    params = fit_job("few.csv", train__optimizer="exact")
    generate.main(params)
    with pytest.raises(UserError, match=r"exact fits 4 numbers .* needs as many rows, but found 3"):
        train.main(params)
    fit(fit_job("few.csv"))
    assert "warning: 3 rows for 4 numbers" in capsys.readouterr().err
    assert {row["std_error"] for row in csv_cells.read_csv(files.COEFFICIENTS)} == {""}


def test_queries_of_another_width_than_the_file(workspace: Path) -> None:
    write_table("two.csv", ["a", "b", "y"], np.random.default_rng(0).normal(size=(9, 3)))
    params = fit_job("two.csv", evaluate__queries=[[1.0, 2.0], [4.0]])
    generate.main(params)
    train.main(params)
    told = r"evaluate.queries\[1\]: found 1 value; must be 2, one for each feature \(a, b\), or"
    for stage in (evaluate, export):
        with pytest.raises(UserError, match=told):
            stage.main(params)


@pytest.mark.slow
def test_a_column_called_bias_in_a_file(workspace: Path) -> None:
    write_table("bias.csv", ["bias", "y"], np.array([[1.0, 2.0], [2.0, 4.0]]))
    params = fit_job("bias.csv")
    generate.main(params)
    with pytest.raises(UserError, match="found a feature called bias"):
        train.main(params)
    train.main(fit_job("bias.csv", model__bias=False))


def test_numbers_beyond_what_ships(workspace: Path) -> None:
    write_table("huge.csv", ["x", "y"], np.array([[1.0, 2.0], [1e39, 4.0]]))
    params = fit_job("huge.csv", train__dtype="float64", train__optimizer="exact")
    generate.main(params)
    told = "data/train.parquet: row 2 has x = 1e.39, beyond what float32 holds; set model.dtype to"
    with pytest.raises(UserError, match=told):
        train.main(params)


@pytest.mark.slow
def test_a_held_out_loss_is_in_history_and_run(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = job(data__generate__x=None, data__generate__rows=100, data__generate__noise=1.0,
                 data__test_fraction=0.3, train__patience=3, train__lr=0.001,
                 train__epochs=500)  # fmt: skip
    run_stages(params)
    assert "no smaller loss on the rows held out for 3 epochs" in capsys.readouterr().out
    history = csv_cells.read_csv(files.HISTORY)
    assert list(history[0]) == ["epoch", "loss", "test_loss"]
    (run_,) = tracked_runs(workspace)
    logged = run_.client.get_metric_history(run_.id, "test_loss")
    assert [(m.step, m.value) for m in logged] == [
        (int(row["epoch"]), float(row["test_loss"])) for row in history
    ]
    assert "Training mean squared error" in (files.PLOTS / "loss.svg").read_text()

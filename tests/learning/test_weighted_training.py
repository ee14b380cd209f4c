"""Rows with weights are trained on as if they were there as often as these say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from own_modules import Network, asked, parameters, rows, use
from raw_plans import a_plan, number

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.columns.plan import Plan
from pipeline.learning import batches, training, training_rows, windows
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.params import Params
from pipeline.tables.table import Table

TIMES = np.random.default_rng(5).integers(1, 6, 60)
ON_ROWS = {
    "train__batch_size": None,
    "train__reduce_rows": False,
    "train__dtype": "float64",
    "model__dtype": "float64",
    "train__lr": 0.05,
}


def weighted(times: Any = TIMES) -> Table:
    return replace(rows(len(times)), weights=np.asarray(times, np.float64))


def repeated() -> Table:
    table = rows(len(TIMES))
    return Table(table.names, np.repeat(table.values, TIMES, axis=0))


def trained(params: Params, table: Table) -> tuple[NDArray[np.float64], list[float]]:
    """Return the losses of each epoch, and the parameters. The held-out rows are the same rows."""
    module, losses = training.train(params, table, table)
    return np.array(losses, np.float64), parameters(module)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("loss", ["squared", "huber:0.5", "absolute", "quantile:0.8"])
def test_all_rows_at_once_are_those_that_they_stand_for(loss: str, reduction: str) -> None:
    """The loss, that of the held-out rows, and each step of the descent."""
    lr = 0.05 if reduction == "mean" else 0.05 / float(TIMES.sum())
    params = asked(
        **ON_ROWS | {"train__lr": lr, "train__optimizer": "sgd"},
        train__reduction=reduction,
        train__loss=loss,
    )
    (losses, values), (others, other_values) = (
        trained(params, table) for table in (weighted(), repeated())
    )
    assert np.allclose(losses, others, rtol=1e-12)
    assert np.allclose(values, other_values, rtol=1e-12)


def test_a_module_in_standard_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mean, its deviation and its reported loss are weighted, and weights have no unit."""
    use(monkeypatch, Network)
    params = asked(**ON_ROWS, model__standardize=True)
    (losses, values), (others, other_values) = (
        trained(params, table) for table in (weighted(), repeated())
    )
    assert np.allclose(losses, others, rtol=1e-9)
    assert np.allclose(values, other_values, rtol=1e-6)


def test_equal_weights_change_no_mean() -> None:
    """Weights of 7 each: a mean over their sum."""
    params = asked(**ON_ROWS | {"train__batch_size": 16})
    (losses, values), (others, other_values) = (
        trained(params, table) for table in (weighted([7] * 60), rows(60))
    )
    assert np.allclose(losses, others, rtol=1e-12)
    assert np.allclose(values, other_values, rtol=1e-12)


def test_batches_together_have_the_gradient_of_all_rows() -> None:
    """A batch of heavy rows pulls more than one of light rows: without it heavy rows would not."""
    still = {"train__lr": 1e-12, "train__optimizer": "sgd", "train__epochs": 1}
    steps = {}
    for size in (None, 6):
        params = asked(**ON_ROWS | still | {"train__batch_size": size})
        before, after = (
            trained(params.model_copy(update={"train": each}), weighted())[1]
            for each in (params.train.model_copy(update={"lr": 1e-300}), params.train)
        )
        steps[size] = (np.array(after) - before) / 1e-12
    assert np.allclose(steps[6] / 10, steps[None], rtol=1e-3)


def on_disk(plan: Plan) -> TableFile:
    table = weighted()
    columns = {name: pa.array(table.values[:, at]) for at, name in enumerate(table.names)}
    pq.write_table(pa.table(columns | {"w": pa.array(TIMES * 1.0)}), "t.parquet", row_group_size=9)
    return TableFile(Path("t.parquet"), plan, ("y",))


@pytest.mark.usefixtures("workspace")
def test_rows_of_a_file_have_the_weights_of_its_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, or read in windows: the same losses as of a table."""
    plan = a_plan(number("a"), number("b")).model_copy(update={"weights": Weights(by="w")})
    file, summary = on_disk(plan), in_memory.summary_of(weighted(), None, ("y",))
    params = asked(**ON_ROWS)
    _, known = training.train(params, weighted(), summary=summary)
    _, held = training.train(params, file, summary=summary)
    assert held == known
    monkeypatch.setattr(training_rows, "MEMORY_BYTES", 0)
    for module in (batches, windows):
        monkeypatch.setattr(module, "PIECE_BYTES", 20 * 4 * 8)
    _, read = training.train(params, file, summary=summary)
    assert np.allclose([loss for loss, _ in read], [loss for loss, _ in known], rtol=1e-12)
    shuffled = asked(**ON_ROWS | {"train__batch_size": 8})
    losses = [loss for loss, _ in training.train(shuffled, file, summary=summary)[1]]
    assert losses[-1] < losses[0]

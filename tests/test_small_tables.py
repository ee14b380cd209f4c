"""Tables of few rows: each stage can read the files that the stages before it have written."""

import itertools
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from conftest import job
from stage_runs import run_stages

from pipeline import evaluate, train
from pipeline.report import summary
from pipeline.settings import csv_cells, declared, files, ids
from pipeline.settings import params as params_yaml
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream
from pipeline.tracking import result
from pipeline.tracking.result import Result


def small_job(rows: int, features: int, optimizer: str, queries: int, held_out: int) -> Params:
    """A job with `rows` rows for training and `held_out` others."""
    total = rows + held_out
    draws = ((seed, stream(seed, "split").random(total)) for seed in itertools.count())
    seed = next(seed for seed, drawn in draws if (drawn < 0.4).sum() == held_out)
    x = np.random.default_rng(0).normal(size=(total, features)).round(2)
    return job(
        seed=seed,
        data__features=[f"x{index}" for index in range(features)],
        data__generate__x=x.tolist(),
        data__generate__weight=[[2.0]] * features,
        data__test_fraction=0.4 if held_out else 0.0,
        train__optimizer=optimizer,
        train__epochs=3,
        evaluate__queries=[[4.0] * features] * queries,
    )


def finish(params: Params, *stages: str) -> Result:
    """Return the result that `track` reads after these stages, before it asks the store."""
    files.PLOTS.mkdir(parents=True)
    with patch.object(train, "live_run"), patch.object(evaluate, "draw"):
        run_stages(params, "generate", "train", "evaluate", *stages)
    outs = [out for each in declared.stages().values() for out in each["outs"]]
    identity = {
        "params": params_yaml.flatten(params),
        "outs": dict(ids.md5s([out for out in outs if Path(out).is_file()])),
    }
    return result.read(Path(), identity, "")


SMALL = [
    *itertools.product((1, 2, 3), (1, 2), ("sgd",)),
    (2, 1, "exact"),
    (3, 1, "exact"),
    (3, 2, "exact"),
]


@pytest.mark.parametrize("held_out", [0, 1, 2])
@pytest.mark.parametrize(("rows", "features", "optimizer"), SMALL)
def test_every_report_of_a_small_table_can_be_read(
    workspace: Path, rows: int, features: int, optimizer: str, held_out: int
) -> None:
    """As many rows as numbers to fit, or fewer, have no intervals; one row held out has no R²."""
    queries = int(held_out < 2)
    result = finish(small_job(rows, features, optimizer, queries, held_out))
    assert len(result.losses) == (1 if optimizer == "exact" else 3)
    assert {loss[2] is None for loss in result.losses} == {not held_out}
    assert [*map(float, result.example)] == [4.0] * features * queries
    assert ("test.rmse" in result.metrics) == bool(held_out)
    assert ("test.r2" in result.metrics) == (held_out == 2)
    assert all(np.isfinite(value) for value in result.metrics.values())
    assert len(csv_cells.read_csv(files.COEFFICIENTS)) == features + 1


@pytest.mark.parametrize(
    ("rows", "features", "optimizer", "held_out"),
    [(1, 2, "sgd", 0), (2, 1, "exact", 1), (3, 2, "exact", 2)],
)
def test_the_model_of_a_small_table_is_exported(
    workspace: Path, rows: int, features: int, optimizer: str, held_out: int
) -> None:
    params = small_job(rows, features, optimizer, 1, held_out)
    assert finish(params, "export").verified
    (told,) = [line for line in summary.lines(params) if line.startswith("prediction")]
    assert told.endswith(", ".join(f"x{index} = 4" for index in range(features)))
    assert ("| rows held out |" in files.CARD.read_text()) == bool(held_out)

"""The threshold of the Huber loss is the one of statsmodels, in however many blocks rows come."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import statsmodels.api as sm
from own_modules import asked

from pipeline.columns import in_memory
from pipeline.learning import huber_threshold, training
from pipeline.learning.prediction import line_of
from pipeline.tables.table import Table


def outliers(targets: int = 1) -> Table:
    """Return rows of which a tenth lie far off the line."""
    random = np.random.default_rng(3)
    x = random.normal(size=(301, 2))
    y = (
        x @ random.normal(size=(2, targets))
        + random.normal(size=(301, targets)) * [0.1, 5][:targets]
    )
    y[::10] += 300
    return Table(("a", "b", *"yz"[:targets]), np.hstack([x, y]))


def test_the_threshold_against_statsmodels_for_each_target_and_in_blocks() -> None:
    table = outliers(2)
    params = asked(
        train__loss="huber", data__targets=["y", "z"], data__generate__weight=None,
        data__generate__bias=[0.0, 0.0],
    )  # fmt: skip
    summary = in_memory.summary_of(table, None, ("y", "z"))
    pieces = [Table(table.names, table.values[start : start + 40]) for start in range(0, 301, 40)]
    for blocks in ([table], pieces):
        huber = huber_threshold.loss_function(params, summary, partial(list, blocks))
        assert huber is not None
        for place, name in enumerate(("y", "z")):
            y, design = table.columns([name])[:, 0], sm.add_constant(table.columns(["a", "b"]))
            residuals = sm.OLS(y, design).fit().resid
            scale = sm.robust.scale.mad(residuals, center=0)
            assert huber.thresholds[place] == pytest.approx(1.345 * scale, rel=1e-12)


def test_a_frequency_counts_as_so_many_rows() -> None:
    table, times = outliers(), np.arange(301) % 4 + 1
    repeated = Table(table.names, np.repeat(table.values, times, axis=0))
    counted = replace(table, weights=times.astype(np.float64))
    summary = in_memory.summary_of(counted, None, ("y",))
    summary = replace(summary, parts=tuple(part.of_frequencies() for part in summary.parts))
    params = asked(train__loss="huber")
    one, other = (
        huber_threshold.loss_function(params, each, partial(list, [rows]))
        for each, rows in (
            (summary, counted),
            (in_memory.summary_of(repeated, None, ("y",)), repeated),
        )
    )
    assert one == other


def test_lbfgs_comes_to_the_robust_line_of_statsmodels() -> None:
    table = outliers()
    params = asked(
        train__loss="huber",
        train__optimizer="lbfgs",
        train__lr=1.0,
        train__batch_size=None,
        train__epochs=50,
        train__dtype="float64",
        model__dtype="float64",
    )
    module, _ = training.train(params, table)
    line = line_of(module)
    assert line is not None
    design = sm.add_constant(table.columns(["a", "b"]))
    robust = sm.RLM(table.columns(["y"])[:, 0], design, M=sm.robust.norms.HuberT())
    best = robust.fit(update_scale=False, conv="coefs", tol=1e-12, maxiter=1000).params
    np.testing.assert_allclose([*line.bias, *line.weight[0]], best, atol=2e-5)
    plain = sm.OLS(table.columns(["y"]), design).fit().params
    assert abs(best[0] - plain[0]) > 10  # the outliers pull the plain line

"""The best constant answer is the median for absolute errors and the quantile for its loss."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mean_pinball_loss

from pipeline.report.constant_answer import mean_loss


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("rows", [1, 2, 7, 40])
def test_no_constant_is_better(share: float, rows: int) -> None:
    values = np.random.default_rng(rows).normal(size=rows)
    table = pa.table({"y": values})
    loss = mean_loss(table, ["y"], share)
    others = [mean_pinball_loss(values, np.full(rows, each), alpha=share) for each in values]
    assert loss == pytest.approx(min(others), rel=1e-12, abs=1e-15)


def test_the_loss_is_of_all_targets() -> None:
    table = pa.table({"a": [0.0, 2.0, 4.0], "b": [1.0, 1.0, 1.0]})
    assert mean_loss(table, ["a", "b"], 0.5) == pytest.approx(1 / 3)

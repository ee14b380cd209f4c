"""The generated table is the one that params.yaml describes."""

import numpy as np
import pytest
from conftest import job

from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream
from pipeline.tables.generated import generated_blocks, generated_table


def test_the_generated_table_is_what_params_say() -> None:
    params = job(data__generate__x=None, data__generate__rows=4000, data__generate__noise=0.5,
                 data__generate__bias=[3.0], seed=7)  # fmt: skip
    rows = generated_table(params.data, params.seed)
    x, y = rows.columns(["x"])[:, 0], rows.columns(["y"])[:, 0]
    assert rows.values.shape == (4000, 2)
    noise = y - (2 * x + 3)
    assert abs(noise.mean()) < 0.05
    assert noise.std() == pytest.approx(0.5, rel=0.05)
    assert abs(np.corrcoef(x, noise)[0, 1]) < 0.05, "noise and x come from one stream"
    drawn = job(data__generate__weight=None, seed=7)
    again = generated_table(drawn.data, 7)
    weight = stream(7, "weight").standard_normal()
    assert again.columns(["y"])[:, 0].tolist() == [weight * value for value in (1.0, 2.0, 3.0)]
    with pytest.raises(UserError, match=r"data.generate: row 3 has y = inf"):
        generated_table(job(data__generate__weight=[[8e307]]).data, 0)


def test_blocks_of_any_size_have_the_numbers_of_the_whole_table() -> None:
    drawn = job(
        data__features=["a", "b", "c"],
        data__targets=["y", "z"],
        data__generate__x=None,
        data__generate__rows=1_000,
        data__generate__noise=0.5,
        data__generate__weight=None,
        data__generate__bias=[1.0, -1.0],
        evaluate__queries=[],
    )
    whole = generated_table(drawn.data, 3)
    draws = stream(3, "x").standard_normal((1_000, 3))
    assert whole.values[:, :3].tolist() == draws.tolist()
    for size in (1, 7, 999, 1_000, 1_001):
        blocks = [*generated_blocks(drawn.data, 3, size)]
        assert max(len(block.values) for block in blocks) <= size
        assert np.concatenate([block.values for block in blocks]).tolist() == whole.values.tolist()
    rows = job(data__generate__x=[[1.0], [2.0], [8e307]], data__generate__weight=[[8.0]])
    with pytest.raises(UserError, match="data.generate: row 3 has y = inf"):
        [*generated_blocks(rows.data, 0, 2)]

"""Tables become tensors whose products have the same bits on every CPU."""

import torch
from conftest import job

from pipeline.learning import tensors
from pipeline.tables.generated import generated_table


def test_a_column_has_plain_strides() -> None:
    """With NumPy's (1, rows) the tutorial's weights differ between Intel and AMD processors."""
    rows = generated_table(job().data, 0)
    for names in (("x",), ("y",), ("x", "y")):
        assert tensors.of_columns(rows, names, torch.float32).stride() == (len(names), 1)

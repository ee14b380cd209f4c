"""The contract's ranges and means of the features."""

import math
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from mixed_tables import mixed_plan
from sums import part_of

from pipeline.onnx_model import terms
from pipeline.onnx_model.contract_inputs import Float, NumberInput
from pipeline.settings.keys.column_settings import NumberSettings


def test_a_column_of_the_training_rows_is_in_its_own_range() -> None:
    """0.1 as float32 is more than 0.1: the range is rounded as the rows are."""
    (feature,) = terms.features(["a"], part_of(np.array([[0.1], [0.7]])), "float32")
    assert feature.min <= np.float32(0.1) <= np.float32(0.7) <= feature.max


def test_the_mean_of_a_column_with_gaps_is_that_of_its_values() -> None:
    """The sums have the fill in the place of each gap."""
    columns = {
        "a": NumberSettings(kind="number", missing=0.1),
        "b": NumberSettings(kind="number", missing="mean"),
    }
    values = np.array([0.3, np.nan, 0.7, np.nan, 5.0, 1e-17])
    rows = pa.table({name: pa.array(values) for name in columns})
    plan = mixed_plan(rows, columns)
    known = values[~np.isnan(values)].tolist()
    for form in terms.raw_columns(plan, part_of(plan.encode(rows)[0]), "float64"):
        assert isinstance(form, NumberInput)
        assert form.mean == math.fsum(known) / 4
        assert (form.min, form.max, form.missing_rows) == (1e-17, 5.0, 2)


@pytest.mark.parametrize("dtype", get_args(Float))
@pytest.mark.parametrize(
    "column", [[0.1, 0.1, 0.1], [-0.1, -0.1], ["max", "max"], [5e-324, 0.0], [1e16, 1.0, -1e16]]
)
def test_the_mean_of_a_feature_is_in_its_range(dtype: Float, column: list[Any]) -> None:
    """The page starts at the mean, which must not be outside of the training range."""
    column = [float(np.finfo(dtype).max) if value == "max" else value for value in column]
    (feature,) = terms.features(["a"], part_of(np.array(column)[:, None]), dtype)
    assert feature.mean is not None
    assert feature.min <= feature.mean <= feature.max
    assert np.array(feature.mean, dtype) == feature.mean

"""The served model names its answers as the pipeline does, and says which value it refuses."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from mlflow.exceptions import MlflowException

from pipeline.answers import answer_file
from pipeline.tracking import served_model


@pytest.mark.parametrize(
    "meanings", [[], ["low", "high"], ["in_range"], ["low", "high", "in_range"]]
)
def test_a_served_model_names_its_answers_as_predict_does(meanings: list[str]) -> None:
    """The served model runs without the pipeline, and has a copy of the rule."""
    targets = ["y", "größe of it"]
    outputs = [
        {
            "name": f"out_{meaning}",
            "meaning": meaning,
            "dtype": "bool" if meaning == "in_range" else "float32",
            "targets": [] if meaning == "in_range" else targets,
        }
        for meaning in ["prediction", *meanings]
    ]
    model: Any = SimpleNamespace(contract={"outputs": outputs}, targets=targets)
    expected = [(name, *about) for name, about in answer_file.columns(model).items()]
    assert expected == [
        (name, output, index, pa.type_for_alias(dtype))
        for name, output, index, dtype in served_model.answer_columns({"outputs": outputs})
    ]
    assert len(expected) == 2 + sum(1 if meaning == "in_range" else 2 for meaning in meanings)


def test_the_first_refused_value_is_named_and_the_rows_like_it_are_counted() -> None:
    given = np.array([[1.0, 2.0], [3.0, 1e300], [np.nan, 4.0], [5.0, np.inf]])
    with np.errstate(over="ignore"):
        values = given.astype("float32")
    with pytest.raises(MlflowException) as refused:
        served_model._refuse_numbers(~np.isfinite(values), given, ["a", "b"], "float32")
    assert refused.value.message == (
        "the column b in row 2 must be a number, found 1e+300, which is too large for float32"
        " (2 more rows like it)"
    )
    served_model._refuse_numbers(~np.isfinite(values[:1]), given[:1], ["a", "b"], "float32")

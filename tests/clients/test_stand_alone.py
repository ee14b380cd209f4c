"""Code that runs without the pipeline has a copy of some of its rules: both copies are the same."""

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from pipeline.report import answer_file
from pipeline.tracking import served_model


@pytest.mark.parametrize(
    "meanings", [[], ["low", "high"], ["in_range"], ["low", "high", "in_range"]]
)
def test_a_served_model_names_its_answers_as_predict_does(meanings: list[str]) -> None:
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
    found: Any = SimpleNamespace(contract={"outputs": outputs}, targets=targets)
    expected = [(name, *about) for name, about in answer_file.columns(found).items()]
    assert expected == [
        (name, output, index, pa.type_for_alias(dtype))
        for name, output, index, dtype in served_model.answer_columns({"outputs": outputs})
    ]
    assert len(expected) == 2 + sum(1 if meaning == "in_range" else 2 for meaning in meanings)

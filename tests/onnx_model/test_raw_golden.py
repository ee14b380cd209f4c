"""The golden vectors of raw rows have every level, gaps and odd values, with the right answers."""

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
import torch
from conftest import make
from mixed_tables import mixed_job, mixed_rows
from raw_plans import EVERY_KIND, date, expected_of, file_of, linear_for, random_rows
from torch import nn

from pipeline.onnx_model import answer_checks, contract, feed, golden, raw_golden, raw_values
from pipeline.settings import files


def vectors(targets: int = 1) -> dict[str, Any]:
    expected = expected_of(linear_for(EVERY_KIND, targets), EVERY_KIND)
    rows = random_rows(EVERY_KIND, 50, "float32")
    content: dict[str, Any] = raw_golden.vectors(expected, rows, rows, 0).model_dump()
    json.dumps(content, allow_nan=False)
    return content


def test_every_level_and_what_is_easily_got_wrong_is_there() -> None:
    inputs = vectors()["inputs"]
    assert set(inputs) == set(EVERY_KIND.features)
    for name in ("heating", "town", "roof"):
        assert {"gas", "gas ", "größe", "oil", "🔥", "unseen", None, "A\u0308rger"} <= {
            *inputs[name]
        }
    assert {0.0, None} <= {*inputs["area"]}
    sold = [moment for moment in inputs["sold"] if moment is not None]
    assert None in inputs["sold"]
    assert min(sold) < 0
    assert max(sold) > 47_482, "a day after 2100"
    assert len(sold) > golden.VECTOR_COUNT


@pytest.mark.parametrize("unit", ["days", "seconds"])
def test_every_month_is_there_though_all_dates_are_mondays(unit: str) -> None:
    """As in a table with a row a week."""
    levels = {"month": tuple(range(1, 13)), "weekday": (1,)}
    references = {"month": 1, "weekday": 1}
    first, last = 4, 4 + 7 * 60
    scale = 1 if unit == "days" else 86_400
    column = date(
        "at",
        "month",
        "weekday",
        levels=levels,
        references=references,
        min=first * scale,
        max=last * scale,
        unit=unit,
    )
    tried = raw_values.usual(column, "float64")
    days = tried // scale
    mondays = days[(days - 4) % 7 == 0].astype("M8[D]").astype("M8[M]").astype(int)
    assert {*(mondays % 12 + 1)} == {*range(1, 13)}


def test_a_refused_row_has_null_and_another_one_the_exact_answer() -> None:
    content = vectors(2)
    assert {"y[t1]", "y[t2]", "in_range"} == set(content["outputs"])
    for name in ("y[t1]", "y[t2]"):
        answers = [row[0] for row in content["outputs"][name]]
        bounds = [row[0] for row in content["bounds"][name]]
        assert 0 < answers.count(None) < len(answers) - golden.VECTOR_COUNT
        assert [each is None for each in answers] == [each is None for each in bounds]
        assert all(bound > 0 for bound in bounds if bound is not None)
    inside = [row[0] for row in content["outputs"]["in_range"]]
    assert Counter(inside)[1.0] > 0
    assert not any(
        flag
        for flag, row in zip(inside, content["outputs"]["y[t1]"], strict=True)
        if row[0] is None
    )


def test_a_module_that_is_not_linear_has_golden_vectors_too() -> None:
    torch.manual_seed(0)
    features = len(EVERY_KIND.encoded_names)
    module = nn.Sequential(nn.Linear(features, 4), nn.ReLU(), nn.Linear(4, 1)).eval()
    expected = expected_of(module, EVERY_KIND)
    rows = random_rows(EVERY_KIND, 50, "float32")
    content = raw_golden.vectors(expected, rows, rows, 0)
    answers = [row[0] for row in content.outputs["y"]]
    assert len(answers) - answers.count(None) > golden.VECTOR_COUNT
    assert content.derivation.startswith(golden.OTHER_DERIVATION)
    tried = feed.of_vectors(content.inputs, EVERY_KIND, "float32")
    checks = answer_checks.run(file_of(expected), expected, {"golden": tried})
    assert [check.problem for check in checks if check.problem] == []


@pytest.mark.parametrize("outputs", [["prediction"], ["prediction", "interval", "in_range"]])
def test_a_job_of_raw_columns_ends_in_a_verified_file(workspace: Path, outputs: list[str]) -> None:
    """The Python client's own check of the golden vectors is among the checks."""
    files.RAW.mkdir(parents=True)
    pyarrow.csv.write_csv(mixed_rows(60), files.RAW / "flats.csv")
    make(mixed_job(export__outputs=outputs))
    whole = contract.validated(json.loads(files.CONTRACT.read_text()))
    assert whole.version == 2
    names = [*mixed_job().data.columns]
    assert [each.name for each in whole.inputs] == names
    assert whole.inputs[names.index("age")].missing_rows == sum(
        np.isnan(mixed_rows(60)["age"].to_numpy())
    )
    verification = json.loads(files.VERIFICATION.read_text())
    assert [each["name"] for each in verification["checks"]][-1] == "golden vectors"
    for name, columns in whole.golden.outputs.items():
        assert len(columns) == len(whole.golden.inputs["area"]), name
    first = {name: column[0] for name, column in whole.golden.inputs.items()}
    assert (first["area"], first["heating"], first["sold"]) == (70.0, "gas", 18_266)
    assert math.isfinite(whole.golden.outputs["y"][0][0] or math.nan)

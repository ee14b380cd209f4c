"""Any model's file has an interval, whose two numbers come from the rows held out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx_files import TWO_TARGETS, contract_of, linear, wanted

from pipeline.onnx_model.offsets import Offsets
from pipeline.onnx_model.outputs import Answers
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError
from pipeline.tables import table

ASKED: dict[str, Any] = TWO_TARGETS | {
    "data__generate__rows": 400,
    "export__outputs": ["prediction", "interval"],
    "evaluate__queries": [[0.5, -1.0, 2.0], [1e6, 0.0, 0.0]],
}


def network(_: Any, features: int, targets: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(features, 4), torch.nn.Tanh(), torch.nn.Linear(4, targets)
    )


JOBS: dict[str, dict[str, Any]] = {
    "sgd": {"train__lr": 0.001, "train__epochs": 50},
    "ridge": {"train__optimizer": "exact", "train__l2": 0.3, "model__dtype": "float64"},
    "network": {"train__optimizer": "adam", "train__loss": "quantile:0.99", "train__lr": 0.1},
}


@pytest.mark.parametrize("name", JOBS)
def test_the_file_adds_its_two_numbers(
    name: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "network":
        monkeypatch.setattr("pipeline.learning.module.build", network)
    contract = contract_of(**ASKED | JOBS[name])
    interval = json.loads(files.METRICS.read_text())["interval"]
    assert [output["meaning"] for output in contract["outputs"]] == ["prediction", "low", "high"]
    rows = interval["rows"]
    assert (
        f"split-conformal: calibrated on {rows} held-out rows" in contract["golden"]["derivation"]
    )
    assert f"calibrated on {rows} held-out rows" in files.CARD.read_text()
    test = table.read(files.TEST)
    session = onnxruntime.InferenceSession(files.ONNX)
    dtype = np.float64 if name == "ridge" else np.float32
    y, low, high = session.run(None, {"x": test.columns("abc").astype(dtype, order="C")})
    for column, target in enumerate("uv"):
        residuals = np.sort(test.columns([target])[:, 0] - y[:, column])
        beyond = (rows + 1) // 40
        right = residuals[[beyond - 1, -beyond]]
        told = interval["low"][target], interval["high"][target]
        np.testing.assert_allclose(told, right, rtol=1e-4, atol=1e-5)
        for end, number in zip((low, high), told, strict=True):
            np.testing.assert_allclose(end[:, column], y[:, column] + number, rtol=1e-5, atol=1e-5)
    queries = csv_cells.read_csv(files.PREDICTIONS)
    x = np.array([[row[each] for each in "abc"] for row in queries], dtype)
    y, low, high = session.run(None, {"x": x})
    for column, target in enumerate("uv"):
        for end, word in ((low, "low"), (high, "high")):
            shown = [float(row[f"{target} model {word} 95%"]) for row in queries]
            np.testing.assert_allclose(end[:, column], shown, rtol=1e-5)
    assert 0.85 < interval["coverage"] <= 1


def test_too_few_held_out_rows_are_one_message(workspace: Path) -> None:
    with pytest.raises(UserError) as refused:
        contract_of(**ASKED | {"data__generate__rows": 60, "data__test_fraction": 0.2})
    assert "export.outputs: found interval, but 1" in str(refused.value)
    assert "which takes 19 rows (39 for each end to be found by itself)" in str(refused.value)
    assert not files.ONNX.exists()


def test_an_end_is_allowed_the_rounding_of_the_answer_and_its_own() -> None:
    x = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]])
    offsets = Offsets((-1.0, 5.0), (2.0, 6.0), 50)
    expected = wanted(Answers(linear(), offsets))
    assert [output.name for output in expected.outputs] == ["y", "low", "high"]
    assert expected.interval is None
    assert expected.offsets is offsets
    y, low, high = expected.allowed(x, np.zeros((2, 2)))
    assert (low > y).all()
    assert np.array_equal(low, high)
    with torch.inference_mode():
        answer, below, above = expected.module(torch.from_numpy(x).float())
    assert torch.equal(below, answer + torch.tensor([-1.0, 5.0]))
    assert torch.equal(above, answer + torch.tensor([2.0, 6.0]))

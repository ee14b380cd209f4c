"""The contract says what the ONNX file is, and its golden vectors are hard and right."""

import hashlib
import json
import re
import subprocess
import sys
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import abline_client
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import ROOT, job, make

from pipeline import export
from pipeline.exact.rounding import nearest
from pipeline.learning import prediction, rounding_bound, weights
from pipeline.learning.line import Line
from pipeline.learning.module import LinearModel
from pipeline.onnx_model import contract, outputs, structure_checks
from pipeline.onnx_model.answer_checks import Expected
from pipeline.onnx_model.contract import Contract, Float, Terms
from pipeline.report import card
from pipeline.settings import files, ids
from pipeline.settings.errors import UserError
from pipeline.tables import table
from pipeline.tracking import lookup

SCHEMA = ROOT / "clients" / "contract.schema.json"

WIDE: dict[str, Any] = {
    "data__features": ["a", "b", "c"],
    "data__targets": ["u", "v"],
    "data__test_fraction": 0.25,
    "data__generate__x": None,
    "data__generate__rows": 60,
    "data__generate__weight": None,
    "data__generate__bias": [0.5, -1.0],
    "data__generate__noise": 0.5,
    "train__lr": 0.001,
    "train__epochs": 5,
    "evaluate__queries": [],
}


ANSWERING: dict[str, Any] = WIDE | {
    "train__optimizer": "exact",
    "export__outputs": ["prediction", "interval", "in_range"],
    "evaluate__queries": [[0.5, -1.0, 2.0], [1e6, 0.0, 0.0]],
}


def made(**changes: Any) -> dict[str, Any]:
    """The contract of a job in the working directory."""
    make(job(**changes))
    content: dict[str, Any] = json.loads(files.CONTRACT.read_text())
    return content


def test_the_schema_is_that_of_the_code() -> None:
    command = [sys.executable, "-m", "pipeline.onnx_model.contract"]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == SCHEMA.read_text()


def test_the_tutorials_contract(workspace: Path) -> None:
    found = made()
    Contract.model_validate(found)
    content = files.ONNX.read_bytes()
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["input"] == {
        "name": "x",
        "dtype": "float32",
        "shape": ["batch", 1],
        "features": [{"name": "x", "min": 1.0, "max": 3.0, "mean": 2.0}],
    }
    assert [(out["name"], out["targets"]) for out in found["outputs"]] == [("y", ["y"])]
    assert found["test_metrics"] == {}
    assert found["source"]["params"]["train.lr"] == 0.01
    assert len(found["golden"]["inputs"]) == contract.VECTORS
    assert found["golden"]["inputs"][0] == [4.0]
    assert found["golden"]["outputs"]["y"][0] == [pytest.approx(7.5619025, abs=1e-6)]
    # The file alone says the same, but for what came after it.
    (entry,) = onnx.load_from_string(content).metadata_props
    terms = json.loads(entry.value)
    assert set(found) - set(terms) == {"sha256", "onnxruntime", "golden"}
    assert {key: found[key] for key in terms} == terms
    Terms.model_validate_json(entry.value)


@pytest.mark.parametrize("dtype", get_args(Float))
def test_the_tutorials_exact_solution_is_exported(dtype: Float, workspace: Path) -> None:
    """Its bias is zero."""
    made(train__optimizer="exact", model__dtype=dtype)
    assert abline_client.load("models").predict({"x": [4.0]}).tolist() == [[8.0]]


@pytest.mark.parametrize(("dtype", "standardize"), [("float32", True), ("float64", False)])
def test_golden_vectors_are_right_and_hard(
    dtype: Float, standardize: bool, workspace: Path
) -> None:
    found = made(**WIDE, model__dtype=dtype, model__standardize=standardize)
    golden = Contract.model_validate(found).golden
    x, y = np.array(golden.inputs), np.array(golden.outputs["y"])
    bounds = np.array(golden.bounds["y"])
    assert x.shape == (contract.VECTORS, 3)
    assert np.array_equal(x, x.astype(dtype)), "numbers that the input holds exactly"
    kind = np.finfo(dtype)
    assert (x == 0).all(axis=1).sum() == 2
    assert ((np.abs(x) <= kind.smallest_normal) & (x != 0)).all(axis=1).sum() == 3
    assert (np.abs(x) > kind.max / 1e3).all(axis=1).sum() == 3
    # What is left of terms that cancel is no more than a few times what rounding does.
    module = weights.load(
        files.MODEL, job(**WIDE, model__dtype=dtype, model__standardize=standardize).model, 3, 2
    )
    line = prediction.line_of(module)
    assert line is not None
    terms = np.abs(x - line.centre) @ np.abs(line.weight.T) + np.abs(line.bias)
    assert (np.abs(y) < 1e3 * kind.eps * terms).any(axis=1).sum() >= 4
    # Against the definition, number by number.
    for row, right in zip(x.tolist(), y.tolist(), strict=True):
        for target in range(2):
            exact = Fraction(line.bias[target].item()) + sum(
                Fraction(w) * (Fraction(value) - Fraction(c))
                for w, value, c in zip(
                    line.weight[target].tolist(), row, line.centre.tolist(), strict=True
                )
            )
            assert right[target] == nearest(exact, dtype)
    assert (bounds > 0).all()
    assert np.isfinite(bounds).all()
    assert set(found["test_metrics"]) >= {"mse", "r2"}


@pytest.mark.parametrize(
    ("dtype", "standardize", "bias"),
    [("float32", True, False), ("float64", True, True)],
)
def test_the_file_answers_with_intervals_and_ranges(
    dtype: Float, standardize: bool, bias: bool, workspace: Path
) -> None:
    found = made(**ANSWERING, model__dtype=dtype, model__standardize=standardize, model__bias=bias)
    assert [(out["name"], out["dtype"], out["shape"]) for out in found["outputs"]] == [
        ("y", dtype, ["batch", 2]),
        ("low", dtype, ["batch", 2]),
        ("high", dtype, ["batch", 2]),
        ("in_range", "bool", ["batch", 1]),
    ]
    session = onnxruntime.InferenceSession(files.ONNX)
    # What evaluate says of the same queries, from the exact solution.
    told = files.read_csv(files.PREDICTIONS)
    x = np.array([[row[name] for name in "abc"] for row in told], dtype)
    y, low, high, in_range = session.run(None, {"x": x})
    for column, target in enumerate("uv"):
        reach = np.array([float(row[f"{target} high 95%"]) for row in told])
        reach -= [float(row[f"{target} low 95%"]) for row in told]
        for end, name in ((low, "low"), (high, "high")):
            right = np.array([float(row[f"{target} {name} 95%"]) for row in told])
            assert np.abs(end[:, column] - right).max() < 1e-6 * np.abs([*right, *reach]).max()
    assert in_range.tolist() == [[False], [False]]
    table_rows = table.read(files.TRAIN).columns("abc").astype(dtype)
    y, low, high, in_range = session.run(None, {"x": np.ascontiguousarray(table_rows)})
    assert in_range.all(), "no training row is out of its own range"
    assert (low <= y).all()
    assert (y <= high).all()
    # Of the golden vectors, computed in another way.
    golden = found["golden"]
    assert len(golden["inputs"]) == contract.VECTORS
    assert (
        structure_checks.conforms(files.ONNX.read_bytes(), Contract(**found).golden).problem is None
    )
    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor).astype(object)
        for tensor in onnx.load(files.ONNX).graph.initializer
    }
    getcontext().prec = 60
    # torch writes equal tensors once, under one of their names.
    centre = constants.get("centre")
    centre = constants["module.mean"] if centre is None else centre
    for index, row in enumerate(golden["inputs"]):
        offset = [Decimal(value) - Decimal(c) for value, c in zip(row, centre, strict=True)]
        square = Decimal(float(constants["constant"]))
        for slopes in constants["factor"].T:
            square += sum(Decimal(f) * d for f, d in zip(slopes, offset, strict=True)) ** 2
        for place, scale in enumerate(constants["scale"]):
            y = golden["outputs"]["y"][index][place]
            half = Decimal(float(scale)) * square.sqrt()
            for name, sign in (("low", -1), ("high", 1)):
                # The prediction stands here as it was rounded, by half a unit at the most.
                end = float(Decimal(y) + sign * half)
                unit = np.finfo(dtype).eps * max(abs(end), abs(y))
                assert abs(golden["outputs"][name][index][place] - end) <= unit + 1e-45


def test_an_interval_that_is_not_known_is_refused(workspace: Path) -> None:
    plain = ANSWERING | {"data__generate__noise": 0.0}
    with pytest.raises(UserError, match=r"float32 answers v at training row \d+ by .* off the sol"):
        made(**plain)
    assert not files.ONNX.exists()
    few = ANSWERING | {"data__generate__rows": 4, "data__test_fraction": 0.0}
    with pytest.raises(UserError, match="none to give: 4 rows for 4 numbers leave no degree of"):
        made(**few)
    x = [[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 6.0, 8.0], [4.0, 8.0, 8.0], [7.0, 14.0, 1.0]]
    tied = ANSWERING | {
        "data__generate__rows": None,
        "data__generate__x": x,
        "data__test_fraction": 0.0,
        "train__allow_dependent": True,
    }
    with pytest.raises(UserError, match=r"columns depend on each other .b = 2·a.; leave interval"):
        made(**tied)


def test_columns_far_from_zero_have_their_interval_while_float64_knows_it(workspace: Path) -> None:
    def asked(x: list[float]) -> dict[str, Any]:
        return made(
            data__generate__x=[[value] for value in x],
            data__generate__noise=1e-3,
            data__generate__weight=[[1e-6]],
            model__dtype="float64",
            model__standardize=True,
            train__optimizer="exact",
            train__allow_dependent=True,
            evaluate__queries=[],
            export__outputs=["prediction", "interval"],
        )

    # Milliseconds since 1970.
    assert asked([1.7e12 + 37 * step for step in range(40)])["outputs"][1]["name"] == "low"
    with pytest.raises(UserError, match="columns vary too little for float64 to compute it; sub"):
        asked([2.0**52 + step for step in (0, 1, 0, 1)])


def test_numbers_beyond_the_dtype_are_refused(workspace: Path) -> None:
    with pytest.raises(UserError, match="none can be checked; scale the targets, or use float64"):
        made(data__generate__bias=[2.5e38], train__optimizer="exact")
    tiny = {
        "data__generate__x": [[n * 1e-320] for n in range(1, 6)],
        "model__dtype": "float64",
        "train__optimizer": "exact",
        "evaluate__queries": [],
        "export__outputs": ["prediction", "interval"],
    }
    with pytest.raises(UserError, match="none to give: its numbers are beyond what float64 holds"):
        made(**tiny, data__generate__weight=[[0.0]])
    with pytest.raises(UserError, match="linear.weight has values beyond what float64 holds; use"):
        made(**tiny, data__generate__noise=0.1)


def test_intervals_and_ranges_that_are_off_are_noticed(workspace: Path) -> None:
    golden = Contract(**made(**ANSWERING, model__dtype="float64")).golden
    content = files.ONNX.read_bytes()
    asked = job(**ANSWERING, model__dtype="float64")
    rows = table.read(files.TRAIN)
    module = outputs.answering(weights.load(files.MODEL, asked.model, 3, 2), asked, rows)
    expected = Expected(module, "abc", "uv", 20, 1e-5, 1e-6)
    inputs = {"rows": rows.columns("abc")}
    assert not [c.problem for c in structure_checks.verify(content, expected, inputs) if c.problem]
    for name, factor, found_by, seen in (
        ("factor", 1 + 1e-6, "high", "low"),
        ("scale", 1 - 1e-6, "high", "low"),
        ("largest", 0.999, "in_range", "in_range"),
    ):
        proto = onnx.load_from_string(content)
        (tensor,) = [each for each in proto.graph.initializer if each.name == name]
        values = onnx.numpy_helper.to_array(tensor) * factor
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, name))
        spoilt = proto.SerializeToString()
        problem = structure_checks.conforms(spoilt, golden).problem
        assert problem is not None
        assert problem.startswith(f"{found_by} of vector")
        # And by the checks against torch, which every file must pass.
        checks = structure_checks.verify(spoilt, expected, inputs)
        problems = [check.problem for check in checks if check.problem]
        assert problems[0] == f"{name} is not the trained one"
        assert any(f", {seen}: onnx" in problem for problem in problems[1:])


def test_a_module_that_is_not_linear_may_tell_its_range(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(settings: Any, features: int, targets: int) -> torch.nn.Module:
        return torch.nn.Sequential(
            torch.nn.Linear(features, 4), torch.nn.Tanh(), torch.nn.Linear(4, targets)
        )

    monkeypatch.setattr("pipeline.learning.module.build", network)
    found = made(**WIDE, export__outputs=["in_range", "prediction"])
    assert [output["name"] for output in found["outputs"]] == ["y", "in_range"]
    assert found["golden"]["derivation"].startswith("outputs: the torch module in float64")
    assert {row[0] for row in found["golden"]["outputs"]["in_range"]} == {0.0, 1.0}
    assert "None: the model is not linear." in files.CARD.read_text()
    metrics = json.loads(files.METRICS.read_text())
    metrics["reference"] |= {"loss": 2942.24, "gap": -67.0582, "condition_number": 1e6}
    whole = contract.Contract.model_validate_json(files.CONTRACT.read_text())
    verified = json.loads(files.VERIFICATION.read_text())
    text = card.card(card.Facts(whole, verified, metrics, [], 50, 0))
    assert "is 67.0582 below that line's 2942.24." in text
    assert "single coefficients" not in text, "there are no coefficients"


def test_the_card_says_what_the_files_say(workspace: Path) -> None:
    found = made(**ANSWERING | {"data__features": ["a|b", "b", "c"]})
    told = files.CARD.read_text()
    assert told.startswith("# u, v from a\\|b, b, c\n")
    for value in (
        found["sha256"],
        found["source"]["training_id"],
        found["source"]["md5"]["data/train.parquet"],
        found["source"]["md5"]["data/test.parquet"],
        f"| rows held out | {found['test_metrics']['rmse']:.6g} |",
        "| `data/test.parquet` | 12 |",
        "| `low` | [batch, 2] | float32 | the lower end of its 95 % prediction interval",
        'train.optimizer: "exact"',
    ):
        assert value in told
    # Each table is one: as many cells in each row as in its first.
    for part in re.findall(r"(?:^\|.*\n)+", told, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines()}) == 1
    made()
    assert "**No rows were held out" in files.CARD.read_text()


def test_a_file_is_of_this_pipeline_by_its_contract_or_by_what_was_there_before(
    tmp_path: Path,
) -> None:
    content = export.export(LinearModel(1, 1).eval(), 1, 20, {})
    for number, key in enumerate(("abline.contract", "abline.training_id", "other")):
        proto = onnx.load_from_string(content)
        proto.metadata_props.add(key=key, value="{}")
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(proto.SerializeToString())
        if key == "other":
            with pytest.raises(UserError, match="not an ONNX file of this pipeline: it carries no"):
                lookup.md5_of_model(path)
        else:
            assert lookup.md5_of_model(path) == ids.md5(path)


def test_a_wrong_answer_is_outside_of_the_bounds() -> None:
    """Each vector notices weights that are off by more than their rounding."""
    line = Line(np.array([[1.5, -2.0]]), np.array([0.25]), np.zeros(2))
    x = contract.hard_rows(
        np.zeros(2), np.ones(2), np.empty((0, 2)), line, None, "float32", np.random.default_rng(0)
    )
    module = LinearModel(2, 1)
    with torch.no_grad():
        module.linear.weight.copy_(torch.tensor([[1.5, -2.0]]))
        module.linear.bias.copy_(torch.tensor([0.25]))
    bound = rounding_bound.analytic(module, x)
    assert bound is not None
    y = contract.answers(line, x, "float32")
    off = contract.answers(
        Line(line.weight * (1 + 1e-5), line.bias * (1 + 1e-5), line.centre), x, "float32"
    )
    seen = np.abs(off - y) > bound
    assert seen.sum() >= 20, "but for rows that cancel or are next to nothing"


def test_the_vectors_find_a_file_of_other_weights(workspace: Path) -> None:
    found = made()
    proto = onnx.load(files.ONNX)
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor) * np.float32(1 + 1e-5)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    golden = Contract.model_validate(found).golden
    assert structure_checks.conforms(files.ONNX.read_bytes(), golden).problem is None
    problem = structure_checks.conforms(proto.SerializeToString(), golden).problem
    assert problem is not None
    assert problem.startswith("y of vector 0 is [7.56")


def test_a_column_of_the_training_rows_is_in_its_own_range() -> None:
    """0.1 as float32 is more than 0.1: the range is rounded as the rows are."""
    (feature,) = contract.features(["a"], np.array([[0.1], [0.7]]), "float32")
    assert feature.min <= np.float32(0.1) <= np.float32(0.7) <= feature.max


@pytest.mark.parametrize("dtype", get_args(Float))
@pytest.mark.parametrize(
    "column", [[0.1, 0.1, 0.1], [-0.1, -0.1], ["max", "max"], [5e-324, 0.0], [1e16, 1.0, -1e16]]
)
def test_the_mean_of_a_feature_is_in_its_range(dtype: Float, column: list[Any]) -> None:
    """Where the page starts must not be told to lie outside of the training range."""
    column = [float(np.finfo(dtype).max) if value == "max" else value for value in column]
    (feature,) = contract.features(["a"], np.array(column)[:, None], dtype)
    assert feature.mean is not None
    assert feature.min <= feature.mean <= feature.max
    assert np.array(feature.mean, dtype) == feature.mean


def test_bounds_too_wide_to_prove_anything_ship_in_no_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No client would take them."""
    vectors = export.vectors

    def wide(*given: Any) -> contract.Vectors:
        found = vectors(*given)
        bounds = [[abs(y)] for (y,) in found.outputs["y"]]
        return found.model_copy(update={"bounds": {"y": bounds}})

    monkeypatch.setattr(export, "vectors", wide)
    with pytest.raises(UserError, match=r"y of vector 0 may be off by 7.56, where .* size 7.75"):
        made()
    assert not files.ONNX.exists()


def test_a_contract_without_means_is_still_one(workspace: Path) -> None:
    found = made()
    del found["input"]["features"][0]["mean"]
    assert Contract.model_validate(found).input.features[0].mean is None

"""Model that answers by column name, for each tool of MLflow that loads a Python function.

MLflow keeps a copy of this file beside model.onnx and runs it there. It may import only the
packages in the model's requirements: neither torch nor any module of this repository.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow.models
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from numpy.typing import NDArray

METADATA_KEY = "abline.contract"
"""Key of the contract's terms in the ONNX file's metadata."""


def answer_columns(contract: Mapping[str, Any]) -> list[tuple[str, str, int, str]]:
    """Return the columns of the answers: name, output of the ONNX file, index in it, dtype.

    One column for each target, with its interval beside it if the file has one, and `in_range`. The
    names are the same as in the answers of `pipeline.predict`.
    """
    endings = {"prediction": "", "low": " low 95%", "high": " high 95%"}
    outputs = contract["outputs"]
    # In version 1 an output has all targets, in version 2 each target has an output of its own.
    targets = [
        target
        for output in outputs
        if output["meaning"] == "prediction"
        for target in output["targets"]
    ]
    answers = [
        (
            target + endings[output["meaning"]],
            output["name"],
            output["targets"].index(target),
            output["dtype"],
        )
        for target in targets
        for output in outputs
        if output["meaning"] in endings and target in output["targets"]
    ]
    flags = [
        (output["meaning"], output["name"], 0, output["dtype"])
        for output in outputs
        if output["meaning"] not in endings
    ]
    return answers + flags


class ServedModel(PythonModel):
    """Model in the file model.onnx, in the folder of this file."""

    def load_context(self, context: PythonModelContext) -> None:  # noqa: ARG002
        """Open the ONNX file."""
        import onnxruntime  # only here: logging the model does not need it

        file = Path(__file__).with_name("model.onnx")
        self.session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.contract = json.loads(metadata[METADATA_KEY])
        self.columns = answer_columns(self.contract)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return one row of answers for each row of values, whose columns are found by name.

        Raises MlflowException, which a server turns into status 400, for infinity, numbers that are
        too large, and what the model refuses, such as a null or an unseen level: JSON cannot write
        the answers to them.
        """
        if "input" in self.contract:
            inputs = _matrix(model_input, self.contract["input"])
        else:
            inputs = {
                each["name"]: _COLUMNS[each["kind"]](model_input[each["name"]], each)
                for each in self.contract["inputs"]
            }
        answers = dict(zip(self._outputs(), self.session.run(None, inputs), strict=True))
        table = {name: answers[output][:, index] for name, output, index, _ in self.columns}
        numbers = [name for name, _, _, dtype in self.columns if dtype != "bool"]
        stacked = np.column_stack([table[name] for name in numbers])
        _refuse(~np.isfinite(stacked), stacked, numbers, "the answer {} must be finite")
        return pd.DataFrame(table, index=model_input.index)

    def _outputs(self) -> list[str]:
        return [str(output.name) for output in self.session.get_outputs()]


def _matrix(frame: pd.DataFrame, form: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return the matrix of a frame. form: the contract's description of it."""
    names = [str(feature["name"]) for feature in form["features"]]
    given = frame[names].to_numpy(np.float64)
    with np.errstate(over="ignore"):
        x = np.ascontiguousarray(given, form["dtype"])
    _refuse_numbers(~np.isfinite(x), given, names, form["dtype"])
    return {form["name"]: x}


def _number(values: pd.Series, form: Mapping[str, Any]) -> NDArray[Any]:
    """Return a column of numbers; NaN for null if the model takes it. form: see `_matrix`."""
    given: NDArray[np.float64] = values.to_numpy(np.float64)
    with np.errstate(over="ignore"):
        x: NDArray[Any] = given.astype(form["dtype"])
    refused = ~np.isfinite(x) & ~(np.isnan(given) & (form["fill"] is not None))
    _refuse_numbers(refused[:, None], given[:, None], [form["name"]], form["dtype"])
    return x


def _category(values: pd.Series, form: Mapping[str, Any]) -> NDArray[Any]:
    """Return a column of texts; "" for null if the model takes it. form: see `_matrix`."""
    gaps = values.isna().to_numpy() | (values == "").fillna(False).to_numpy(np.bool_)
    texts = np.where(gaps, "", values.to_numpy(np.object_)).astype(np.object_)
    name, known = [form["name"]], [level["name"] for level in form["levels"]]
    if not form["has_missing"]:
        _refuse(gaps[:, None], texts[:, None], name, "the column {} must not be missing")
    if form["unseen"] == "refuse":
        unseen = ~np.isin(texts, known) & ~gaps
        some = ", ".join(map(json.dumps, known[:8])) + (", …" if len(known) > 8 else "")
        wanted = f"the column {{}} must be one of {some.replace('{', '{{').replace('}', '}}')}"
        _refuse(unseen[:, None], texts[:, None], name, wanted)
    return texts


def _date(values: pd.Series, form: Mapping[str, Any]) -> NDArray[Any]:
    """Return a column of dates as integers. form: see `_matrix`."""
    moments = values.to_numpy("datetime64[ns]")
    name, given = [form["name"]], values.astype(str).to_numpy(np.object_)[:, None]
    _refuse(np.isnat(moments)[:, None], given, name, "the column {} must not be missing")
    days = moments.astype("datetime64[D]")
    for part, levels in form["levels"].items():
        # 1970-01 was the first month; 1970-01-01 was a Thursday.
        integers = (
            days.astype("datetime64[M]").astype(np.int64) % 12 + 1
            if part == "month"
            else (days.astype(np.int64) + 3) % 7 + 1
        )
        wanted = f"the {part} of the column {{}} must be one of {', '.join(map(str, levels))}"
        _refuse(~np.isin(integers, levels)[:, None], given, name, wanted)
    unit = "D" if form["unit"] == "days" else "s"
    integers_of: NDArray[np.int64] = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    return integers_of


_COLUMNS = {"number": _number, "category": _category, "date": _date}


def _refuse_numbers(
    bad: NDArray[np.bool_], given: NDArray[np.float64], names: Sequence[str], dtype: str
) -> None:
    """Raise MlflowException for the first bad number. bad, given: [rows, names]."""
    _refuse(
        bad, given, names, "the column {} must be a number", f", which is too large for {dtype}"
    )


def _refuse(
    bad: NDArray[np.bool_],
    given: NDArray[Any],
    names: Sequence[str],
    wanted: str,
    after_a_number: str = "",
) -> None:
    """Raise MlflowException for the first bad value, with the number of rows that have one.

    bad, given: [rows, names]. wanted: has {} in the place of the name.
    """
    rows = np.flatnonzero(bad.any(axis=1))
    if not rows.size:
        return
    row = int(rows[0])
    column = int(np.flatnonzero(bad[row])[0])
    value = given[row, column]
    if isinstance(value, str):
        refused = json.dumps(value, ensure_ascii=False) if value not in ("", "NaT") else "null"
    else:
        refused = "null or NaN" if np.isnan(value) else f"{value:g}"
        refused += after_a_number if np.isfinite(value) else ""
    more = f" ({rows.size - 1} more rows like it)" if rows.size > 1 else ""
    name = f"{names[column]} in row {row + 1}"
    raise MlflowException.invalid_parameter_value(f"{wanted.format(name)}, found {refused}{more}")


mlflow.models.set_model(ServedModel())

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
    answers = [
        (target + endings[output["meaning"]], output["name"], index, output["dtype"])
        for index, target in enumerate(outputs[0]["targets"])
        for output in outputs
        if output["meaning"] in endings
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
        contract = json.loads(metadata[METADATA_KEY])
        self.input: str = contract["input"]["name"]
        self.features = [str(feature["name"]) for feature in contract["input"]["features"]]
        self.dtype = np.dtype(contract["input"]["dtype"])
        self.columns = answer_columns(contract)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> pd.DataFrame:
        """Return one row of answers for each row of numbers, whose columns are found by name.

        Raises MlflowException, which a server turns into status 400, for null, NaN, infinity and
        numbers that are too large: JSON cannot write the answers to them.
        """
        given = model_input[self.features].to_numpy(np.float64)
        with np.errstate(over="ignore"):
            x = np.ascontiguousarray(given, self.dtype)
        self._refuse(x, given, self.features, "a number", "the column")
        answers = dict(zip(self._outputs(), self.session.run(None, {self.input: x}), strict=True))
        table = {name: answers[output][:, index] for name, output, index, _ in self.columns}
        numbers = [name for name, _, _, dtype in self.columns if dtype != "bool"]
        stacked = np.column_stack([table[name] for name in numbers])
        self._refuse(stacked, stacked, numbers, "finite", "the answer")
        return pd.DataFrame(table, index=model_input.index)

    def _outputs(self) -> list[str]:
        return [str(output.name) for output in self.session.get_outputs()]

    def _refuse(
        self,
        values: NDArray[Any],
        given: NDArray[Any],
        names: Sequence[str],
        wanted: str,
        kind: str,
    ) -> None:
        """Raise MlflowException for the first value that is not finite, with the number of rows.

        values, given: [rows, names], in the model's dtype and as they were given.
        """
        bad = ~np.isfinite(values)
        rows = np.flatnonzero(bad.any(axis=1))
        if not rows.size:
            return
        row = int(rows[0])
        column = int(np.flatnonzero(bad[row])[0])
        value = float(given[row, column])
        refused = "null or NaN" if np.isnan(value) else f"{value:g}"
        if np.isfinite(value):
            refused += f", which is too large for {self.dtype}"
        more = f" ({rows.size - 1} more rows like it)" if rows.size > 1 else ""
        raise MlflowException.invalid_parameter_value(
            f"{kind} {names[column]} in row {row + 1} must be {wanted}, found {refused}{more}"
        )


mlflow.models.set_model(ServedModel())

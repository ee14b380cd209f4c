"""Model that a run logs: the ONNX file, byte for byte, with a function that answers by name."""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import mlflow.onnx
import numpy as np
import onnx
import pandas as pd
from google.protobuf.message import DecodeError
from mlflow.entities import LoggedModel
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec
from onnx.helper import tensor_dtype_to_np_dtype

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tracking import served_model
from pipeline.tracking.store import Store


def of_run(store: Store, run_id: str) -> LoggedModel | None:
    """Return the model that a run has logged completely, if there is one.

    Its files may have been deleted since.
    """
    outputs = store.client.get_run(run_id).outputs
    for logged in outputs.model_outputs if outputs else ():
        model = store.client.get_logged_model(logged.model_id)
        if model.status == "READY":
            return model
    return None


def log(
    store: Store,
    run_id: str,
    onnx_file: bytes,
    contract: bytes | None,
    example: Sequence[str],
    requirements: Sequence[str],
    earlier: LoggedModel | None,
) -> None:
    """Log the ONNX file, byte for byte, as an MLflow model of a run.

    contract: contract.json, which is kept beside the file; None if it is missing.
    example: the features of an input row, as a CSV file has them; empty if there is no row.
    requirements: pinned packages that serve the model.
    earlier: the run's own model if its files are gone. They are written again, because a
    registered version may point to them.
    """
    # Without this call MLflow logs the model in its Default experiment, whose artifacts are in the
    # folder where the store was first opened.
    mlflow.set_experiment(experiment_id=store.experiment_id)
    about: dict[str, Any] = {"onnx_file": onnx_file, "contract": contract, "example": example}
    about["requirements"] = requirements
    if earlier is None:
        # The tests check that it can be served; a check at each log would only take time.
        about["validate_serving_input"] = False
        Model.log(None, Flavor, name="model", run_id=run_id, flavor_name="onnx", **about)
        return
    place, name = earlier.artifact_location, earlier.model_id
    logged = Model(artifact_path=place, run_id=run_id, model_uuid=name, model_id=name)
    with TemporaryDirectory() as folder:
        Flavor.save_model(f"{folder}/model", logged, **about)
        store.client.log_model_artifacts(name, f"{folder}/model")


class Flavor:
    """Flavor in MLflow's sense: writes a model into a folder, which `Model.log` then keeps."""

    @staticmethod
    def save_model(
        path: str,
        mlflow_model: Model,
        onnx_file: bytes,
        contract: bytes | None,
        example: Sequence[str],
        requirements: Sequence[str],
        validate_serving_input: bool = False,  # noqa: ARG004  # `Model.log` passes it
    ) -> None:
        """Write model.onnx as `mlflow.onnx` does, with `served_model` as its Python function.

        MLflow's own Python function of an ONNX file takes features by position only, and returns
        two targets as one column of twice the length. `mlflow.onnx.load_model` still works.
        """
        try:
            model = onnx.load_from_string(onnx_file)
        except DecodeError:
            raise UserError(f"{files.ONNX} is not an ONNX file") from None
        _refuse_external(model)
        assert model.SerializeToString() == onnx_file, "MLflow would write other bytes"
        terms = _terms(model)
        about: dict[str, Any] = {
            "pip_requirements": list(requirements),
            "onnx_execution_providers": ["CPUExecutionProvider"],
            "save_as_external_data": False,
        }
        if terms is None:
            mlflow.onnx.save_model(
                model, path, mlflow_model=mlflow_model, signature=_tensors(model), **about
            )
            return
        with warnings.catch_warnings():
            # MLflow compares the names of a frame with a range.
            warnings.filterwarnings("ignore", "Operation with range is deprecated")
            mlflow.onnx.save_model(
                model,
                path,
                mlflow_model=mlflow_model,
                signature=signature(terms),
                input_example=_input_example(terms, example),
                **about,
            )
        folder, script = Path(path), Path(served_model.__file__)
        shutil.copyfile(script, folder / script.name)
        if contract is not None:
            (folder / files.CONTRACT.name).write_bytes(contract)
        function = mlflow_model.flavors["python_function"]
        del function["data"]
        function["loader_module"] = "mlflow.pyfunc.loaders.code_model"
        function["model_code_path"] = script.name
        mlflow_model.save(folder / "MLmodel")


def _refuse_external(message: Any) -> None:
    """Raise UserError if an ONNX model keeps numbers in other files.

    The author of the model chooses their names, and onnx would write to any place.
    """
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if isinstance(value, Sequence) else [value]:
            if part.DESCRIPTOR.name == "TensorProto" and (part.external_data or part.data_location):
                raise UserError(
                    f"{files.ONNX} keeps the numbers of {part.name[:80]!r} in another file, which"
                    " this pipeline never writes: it is somebody else's"
                )
            _refuse_external(part)


def _input_example(terms: Mapping[str, Any], example: Sequence[str]) -> Any:
    """Return an input row for the model, by the names of the columns. example: see `log`."""
    if "input" in terms:
        names = [feature["name"] for feature in terms["input"]["features"]]
        numbers = [*map(float, example), *(0.0 for _ in names)]
        return {name: np.array([value]) for name, value in zip(names, numbers, strict=False)}
    cells: Sequence[str | None] = example or [None] * len(terms["inputs"])
    row = zip(terms["inputs"], cells, strict=True)
    return pd.DataFrame({form["name"]: [_value(form, cell)] for form, cell in row})


def _value(form: Mapping[str, Any], cell: str | None) -> Any:
    """Return a cell as a value of its column; None: a usual value of the column."""
    if form["kind"] == "number":
        return form["mean"] if cell is None else float(cell or "nan")
    if form["kind"] == "category":
        levels = [level["name"] for level in form["levels"]] or [""]
        usual = form["reference"] if form["reference"] in levels else levels[0]
        return usual if cell is None else cell
    unit = "D" if form["unit"] == "days" else "s"
    return pd.Timestamp(cell) if cell else pd.Timestamp(form["max"], unit=unit)


def signature(terms: Mapping[str, Any]) -> ModelSignature:
    """Return the model's input and output columns by name, from the terms of its contract.

    Numbers are double, because MLflow refuses to convert the columns of a data frame to float.
    Dates are datetime: so frames have them, and MLflow refuses a gap among integers.
    """
    kinds = {"float32": "float", "float64": "double", "bool": "boolean"}
    raw_kinds = {"number": "double", "category": "string", "date": "datetime"}
    columns = served_model.answer_columns(terms)
    inputs = (
        [("double", feature["name"]) for feature in terms["input"]["features"]]
        if "input" in terms
        else [(raw_kinds[form["kind"]], form["name"]) for form in terms["inputs"]]
    )
    return ModelSignature(
        Schema([ColSpec(kind, name) for kind, name in inputs]),
        Schema([ColSpec(kinds[kind], name) for name, _, _, kind in columns]),
    )


def _terms(model: Any) -> dict[str, Any] | None:
    """Return the terms of the contract in an ONNX file, if they name its columns.

    Files from before there was a contract have no terms, and a stranger's file may have any.
    """
    noted = {entry.key: entry.value for entry in model.metadata_props}
    try:
        terms: dict[str, Any] = json.loads(noted[served_model.METADATA_KEY])
        schemas = signature(terms)
        _input_example(terms, [])
        for schema in (schemas.inputs, schemas.outputs):
            names = schema.input_names()
            if not names or len(set(names)) < len(names):
                return None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError, MlflowException):
        return None
    return terms


def _tensors(model: Any) -> ModelSignature:
    """Return the inputs and outputs of an ONNX file without names of its columns."""

    def described(value: Any) -> TensorSpec:
        kind = value.type.tensor_type
        shape = (-1, kind.shape.dim[1].dim_value)
        return TensorSpec(tensor_dtype_to_np_dtype(kind.elem_type), shape, value.name)

    return ModelSignature(
        Schema([described(value) for value in model.graph.input]),
        Schema([described(value) for value in model.graph.output]),
    )

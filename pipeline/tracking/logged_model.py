"""The model that a run logs, and the version of a registered model that it becomes."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tracking.store import Store
from pipeline.tracking.tags import MODEL_VERSIONS

ALIAS = "verified"
"""The alias of a registered model's newest version: models:/NAME@verified."""


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
    example: Sequence[float],
    requirements: Sequence[str],
    known: LoggedModel | None,
) -> None:
    """Log the ONNX file, byte for byte, as an MLflow model of a run.

    contract: contract.json, to lie beside the file; None if it is not there.
    example: the numbers of an input row, and any after it.
    requirements: pinned packages that answer with the model.
    known: the run's own model, if its files are gone. It gets them again, because a registered
    version may point to it.
    """
    import mlflow  # only here: a training need not wait for it

    # Without it the model would go to MLflow's Default experiment, whose artifacts lie wherever the
    # store was first opened.
    mlflow.set_experiment(experiment_id=store.experiment_id)
    about: dict[str, Any] = {"onnx_file": onnx_file, "contract": contract, "example": example}
    about["requirements"] = requirements
    if known is None:
        # The tests try whether it can be served; to try it each time would only take time.
        about["validate_serving_input"] = False
        Model.log(None, Flavor, name="model", run_id=run_id, flavor_name="onnx", **about)
        return
    place, name = known.artifact_location, known.model_id
    logged = Model(artifact_path=place, run_id=run_id, model_uuid=name, model_id=name)
    with TemporaryDirectory() as folder:
        Flavor.save_model(f"{folder}/model", logged, **about)
        store.client.log_model_artifacts(name, f"{folder}/model")


class Flavor:
    """What MLflow calls a flavor: it writes a model into a folder, for `Model.log` to keep."""

    @staticmethod
    def save_model(
        path: str,
        mlflow_model: Model,
        onnx_file: bytes,
        contract: bytes | None,
        example: Sequence[float],
        requirements: Sequence[str],
        validate_serving_input: bool = False,  # noqa: ARG004  # of `Model.log`, which passes it on
    ) -> None:
        """Write model.onnx as `mlflow.onnx` does, and answers by column name beside it.

        MLflow's own Python function of an ONNX file takes a feature by its position alone, and
        gives two targets as one column that is twice as long. `served_model` takes its place;
        `mlflow.onnx.load_model` works as before.
        """
        import mlflow.onnx
        import onnx
        from google.protobuf.message import DecodeError

        from pipeline.tracking import served_model

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
        names = [feature["name"] for feature in terms["input"]["features"]]
        row = [*example, *(0.0 for _ in names)]
        mlflow.onnx.save_model(
            model,
            path,
            mlflow_model=mlflow_model,
            signature=signature(terms),
            input_example={
                name: np.array([value]) for name, value in zip(names, row, strict=False)
            },
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

    Its author chooses their names, and onnx would write them where it is told to.
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


def signature(terms: Mapping[str, Any]) -> ModelSignature:
    """Return the columns that the model takes and gives, by name, from the terms of its contract.

    All inputs are double, because MLflow refuses to turn what a data frame has into float.
    """
    from pipeline.tracking import served_model

    kinds = {"float32": "float", "float64": "double", "bool": "boolean"}
    columns = served_model.columns(terms)
    return ModelSignature(
        Schema([ColSpec("double", feature["name"]) for feature in terms["input"]["features"]]),
        Schema([ColSpec(kinds[kind], name) for name, _, _, kind in columns]),
    )


def _terms(model: Any) -> dict[str, Any] | None:
    """Return the terms of the contract in an ONNX file, if they name its columns.

    Files of a time before the contract have none, and a stranger's may have any.
    """
    from pipeline.tracking import served_model

    noted = {entry.key: entry.value for entry in model.metadata_props}
    try:
        terms: dict[str, Any] = json.loads(noted[served_model.CONTRACT])
        schemas = signature(terms)
        for schema in (schemas.inputs, schemas.outputs):
            names = schema.input_names()
            if not names or len(set(names)) < len(names):
                return None
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError, MlflowException):
        return None
    return terms


def _tensors(model: Any) -> ModelSignature:
    """Return the inputs and outputs of an ONNX file that does not name its columns."""
    from onnx.helper import tensor_dtype_to_np_dtype

    def described(value: Any) -> TensorSpec:
        kind = value.type.tensor_type
        shape = (-1, kind.shape.dim[1].dim_value)
        return TensorSpec(tensor_dtype_to_np_dtype(kind.elem_type), shape, value.name)

    return ModelSignature(
        Schema([described(value) for value in model.graph.input]),
        Schema([described(value) for value in model.graph.output]),
    )


def figures(metrics: Mapping[str, float]) -> str:
    """Return the metrics that decide between two models as one line, held-out rows first."""
    named = [
        f"{rows} {name} {metrics[key]:.6g}"
        for part, rows in (("test", "held-out"), ("train", "training"))
        for key, name in ((f"{part}.r2", "R²"), (f"{part}.rmse", "RMSE"))
        if key in metrics
    ]
    return ", ".join(named)


def register(
    client: MlflowClient,
    run: Run,
    model: LoggedModel,
    name: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
) -> None:
    """Make a run's model a version of the registered model `name`, unless it is one already.

    The alias `verified` goes to the version of the newest run, whichever is registered last.
    """
    run_id = run.info.run_id
    versions = client.search_model_versions(f"run_id = '{run_id}'")
    version = next((each.version for each in versions if each.name == name), None)
    if version is None:
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(
            name,
            model.artifact_location,
            run_id,
            dict(tags),
            description=f"{figures(metrics)}; run {run.info.run_name}",
            model_id=model.model_id,
        )
        version = made.version
        # As `mlflow.register_model` does, which writes to the terminal: the model's page names
        # them.
        noted = json.dumps([{"name": name, "version": version}])
        client.set_logged_model_tags(model.model_id, {MODEL_VERSIONS: noted})
    if run.info.start_time >= _time_of_alias(client, name):
        client.set_registered_model_alias(name, ALIAS, version)


def _time_of_alias(client: MlflowClient, name: str) -> int:
    """Return when the run of the version with the alias began, in ms since 1970; -1: no run.

    Raises MlflowException if the store fails: to take that for no run would move the alias.
    """
    try:
        named = client.get_model_version_by_alias(name, ALIAS)
        return int(client.get_run(str(named.run_id)).info.start_time)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return -1
        raise

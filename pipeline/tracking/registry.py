"""Registered model: a run's model becomes a version of it, and the newest version has an alias."""

import json
from collections.abc import Mapping

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, Run
from mlflow.exceptions import MlflowException

from pipeline.settings.keys.target_settings import OWN_UNIT
from pipeline.tracking.tags import MODEL_VERSIONS

ALIAS = "verified"
"""Alias of a registered model's newest version: models:/NAME@verified."""


def metrics_line(metrics: Mapping[str, float]) -> str:
    """Return the metrics that decide between two models in one line, held-out rows first."""
    named = [
        f"{rows} {name} {metrics[key]:.6g}"
        for part, rows in (("test", "held-out"), ("train", "training"))
        for figure, name in (("r2", "R²"), ("rmse", "RMSE"))
        if (key := _in_own_unit(f"{part}.", figure, metrics)) in metrics
    ]
    return ", ".join(named)


def _in_own_unit(part: str, figure: str, metrics: Mapping[str, float]) -> str:
    """Return the key of a figure in the target's own unit, where it is fitted as a logarithm."""
    own = f"{part}{OWN_UNIT}{figure}"
    return own if own in metrics else part + figure


def register(
    client: MlflowClient,
    run: Run,
    model: LoggedModel,
    name: str,
    metrics: Mapping[str, float],
    tags: Mapping[str, str],
    link: str = "",
) -> None:
    """Make a run's model a version of the registered model `name`, unless it is one already.

    link: Markdown that opens the report, for the version's page.

    The alias `verified` moves to the version of the newest run, whatever the order of the calls.
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
        created = client.create_model_version(
            name,
            model.artifact_location,
            run_id,
            dict(tags),
            description=". ".join(
                filter(None, [f"{metrics_line(metrics)}; run {run.info.run_name}", link])
            ),
            model_id=model.model_id,
        )
        version = created.version
        # The model's page reads this tag. `mlflow.register_model` would set it, and print lines.
        versions_tag = json.dumps([{"name": name, "version": version}])
        client.set_logged_model_tags(model.model_id, {MODEL_VERSIONS: versions_tag})
    if run.info.start_time >= _time_of_alias(client, name):
        client.set_registered_model_alias(name, ALIAS, version)


def _time_of_alias(client: MlflowClient, name: str) -> int:
    """Return the start, in ms since 1970, of the run of the version with the alias; -1: no run.

    Raises MlflowException if the store fails: -1 would then move the alias.
    """
    try:
        named = client.get_model_version_by_alias(name, ALIAS)
        return int(client.get_run(str(named.run_id)).info.start_time)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return -1
        raise

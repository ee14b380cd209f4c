"""The rows of a file for a model to answer, with the columns and the dialect of its contract."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from abline_client import Model
from pydantic import TypeAdapter, ValidationError

from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import Column, ColumnSettings
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import show
from pipeline.tables import raw_table
from pipeline.tables.raw_table import RawTable

_COLUMN: TypeAdapter[ColumnSettings] = TypeAdapter(Column)


def opened(model: Model, path: Path, changes: Sequence[str] = (), keep: bool = False) -> RawTable:
    """Return the rows of a file, with the columns of the model.

    changes: of the dialect of the training table, such as "separator=;". keep: True if the blocks
    have the other columns, too.
    Raises UserError if the file or a column is missing, or if a change cannot be made.
    """
    params = model.contract["source"]["params"]
    read = dialect(params, changes)
    return raw_table.rows_to_answer(path, columns(model), read, keep, on_wrong="gap")


def columns(model: Model) -> Mapping[str, ColumnSettings]:
    """Return the model's columns with the settings that they were read with."""
    params = model.contract["source"]["params"]
    declared = params.get("data.features")
    declared = declared if isinstance(declared, dict) else {}
    usual: dict[str, dict[str, Any]] = {name: {"kind": "number"} for name in model.features}
    if model.contract["version"] > 1:
        for entry in model.contract["inputs"]:
            keys = ("kind", "parts") if entry["kind"] == "date" else ("kind",)
            usual[entry["name"]] = {key: entry[key] for key in keys}
    return {name: _settings(declared.get(name), usual[name]) for name in model.features}


def _settings(declared: Any, usual: Mapping[str, Any]) -> ColumnSettings:
    """Return the settings of a column; the usual ones if those declared are of another kind."""
    of_its_kind = _COLUMN.validate_python(usual)
    try:
        settings = _COLUMN.validate_python(declared)
    except ValidationError:
        return of_its_kind
    return settings if type(settings) is type(of_its_kind) else of_its_kind


def dialect(params: Mapping[str, Any], changes: Sequence[str]) -> Read:
    """Return how the file is written: as the training table, but for the changes.

    params: of the contract. Raises UserError for a change that cannot be made.
    """
    usual = Read.usual().model_dump(mode="json")
    recorded = params.get("data.read")
    recorded = recorded if isinstance(recorded, dict) else {}
    values = usual | {key: recorded[key] for key in usual if key in recorded}
    for change in changes:
        key, _, text = change.partition("=")
        if key not in usual:
            raise UserError(
                f"--read: found {show(change)}; must be a key of data.read and its value, such as"
                f" 'separator=;'; the keys are {', '.join(usual)}"
            )
        # Marks such as , and ' are no YAML by themselves.
        is_text = isinstance(usual[key], str) or key in ("thousands", "comment")
        try:
            values[key] = text if is_text and text != "null" else yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(
                f"--read: found {show(change)}; {key} must be written as in YAML"
            ) from None
    try:
        return Read.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise UserError(
            f"--read: {where} is {show(str(problem['input']))}; {problem['msg']}"
        ) from None

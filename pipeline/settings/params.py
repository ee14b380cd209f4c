"""The parameters of the job: params.yaml, read and checked."""

import itertools
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pipeline.settings import contradictions, messages, yaml_file
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import ColumnSettings
from pipeline.settings.keys.row_settings import RowSettings
from pipeline.settings.keys.section import Section
from pipeline.settings.keys.sections import (
    GENERATE,
    Data,
    Evaluate,
    Export,
    Generate,
    Params,
    Tracking,
)
from pipeline.settings.keys.target_settings import Targets
from pipeline.settings.keys.train_settings import Model, Train
from pipeline.settings.keys.weight_settings import Weights

__all__ = [
    "GENERATE",
    "Data",
    "Evaluate",
    "Export",
    "Generate",
    "Model",
    "Params",
    "Section",
    "Tracking",
    "Train",
]

PATH = Path("params.yaml")
MOST_MISTAKES_SHOWN = 20
"""Mistakes in one message."""


def load(path: Path = PATH) -> Params:
    """Read and check params.yaml. Raises UserError with one line for each mistake."""
    return parse(yaml_file.text_of(path))


def parse(text: str) -> Params:
    """Check the text of a params.yaml. Raises UserError with one line for each mistake."""
    value, line_of = yaml_file.read(text, PATH)
    if not isinstance(value, dict):
        content = "nothing" if value is None else messages.show(value)
        raise UserError(f"{PATH}: found {content}; must be a mapping of keys such as `seed: 0`")
    try:
        params = Params.model_validate(value)
        mistakes = list(contradictions.of(params))
    except ValidationError as error:
        # One more than is shown, because the rows of a long list may all be wrong.
        mistakes = list(
            itertools.islice(messages.problems(error, Params, value), MOST_MISTAKES_SHOWN + 1)
        )
    if mistakes:
        lines = [f"{PATH}{line_of(key)}: {messages.dotted(key)}: {text}" for key, text in mistakes]
        raise UserError(messages.mistakes(lines, PATH, MOST_MISTAKES_SHOWN))
    return params


def flatten(section: Section, prefix: str = "") -> dict[str, Any]:
    """Return dotted keys and their values: {"seed": 0, "train.lr": 0.01, ...}, no sections."""
    flat: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section) and not value.one_key:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = _plain(value)
    return flat


def _plain(value: Any) -> Any:
    """Return a value as tuples, mappings, texts and numbers alone."""
    if isinstance(value, ColumnSettings | RowSettings | Targets | Weights):
        return value.plain()
    if isinstance(value, Section):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_plain, value))
    return value


def schema() -> str:
    """Return the JSON schema of params.yaml, which editors read from params.schema.json."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | Params.model_json_schema(), indent=2, ensure_ascii=False) + "\n"

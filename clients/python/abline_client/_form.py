"""The form of a contract: version 1, of a matrix of numbers, and version 2, of typed inputs."""

from collections.abc import Callable, Mapping
from typing import Any

from abline_client._json_values import (
    a_boolean,
    a_list,
    a_number,
    a_shape,
    a_text,
    an_integer,
    an_object,
    different,
    one_of,
    refuse,
)

VERSIONS = (1, 2)  # of the contracts that this client reads
MEANINGS = ("prediction", "low", "high", "in_range")
FLOATS = ("float32", "float64")
PARTS = ("days", "year", "month", "weekday", "hour")


def check_form(contract: Mapping[str, Any]) -> None:
    """Check the form of the inputs and the outputs. Raises ValueError."""
    if contract["version"] == 1:
        dtype = _matrix(contract.get("input"))
    else:
        dtype = _inputs(contract.get("inputs"))
        encoded = a_list(contract.get("encoded"), "encoded", empty=True)
        for index, name in enumerate(encoded):
            a_text(name, f"encoded[{index}]")
    _outputs(contract.get("outputs"), dtype, alone=contract["version"] == 2)


def _matrix(value: Any) -> str | None:
    """Check the input of version 1; return its dtype."""
    entry = an_object(value, "input")
    a_text(entry.get("name"), "input.name")
    dtype = one_of(entry.get("dtype"), FLOATS, "input.dtype")
    features = a_list(entry.get("features"), "input.features")
    names = []
    for index, each in enumerate(features):
        where = f"input.features[{index}]"
        feature = an_object(each, where)
        names.append(a_text(feature.get("name"), f"{where}.name"))
        _range(feature, where)
    different(names, "input.features")
    a_shape(entry.get("shape"), len(features), "input.shape")
    return dtype


def _range(entry: Mapping[str, Any], where: str) -> None:
    """Check the min, the max and the mean, if any, of a column of numbers."""
    low = a_number(entry.get("min"), f"{where}.min")
    high = a_number(entry.get("max"), f"{where}.max")
    if low > high:
        refuse(f"{where}.min", low, f"no more than its max, {high:g}")
    mean = entry.get("mean")
    if mean is not None and not low <= a_number(mean, f"{where}.mean") <= high:
        refuse(f"{where}.mean", mean, f"from {low:g} to {high:g}")


def _inputs(value: Any) -> str | None:
    """Check the inputs of version 2; return the dtype of the numbers, if there are any."""
    inputs = a_list(value, "inputs")
    dtype: str | None = None
    names = []
    for index, each in enumerate(inputs):
        where = f"inputs[{index}]"
        entry = an_object(each, where)
        names.append(a_text(entry.get("name"), f"{where}.name"))
        kind = one_of(entry.get("kind"), tuple(_KINDS), f"{where}.kind")
        if kind == "number":
            dtype = one_of(
                entry.get("dtype"), FLOATS if dtype is None else (dtype,), f"{where}.dtype"
            )
        else:
            only = "string" if kind == "category" else "int64"
            one_of(entry.get("dtype"), (only,), f"{where}.dtype")
        if entry.get("shape") != ["batch"]:
            refuse(f"{where}.shape", entry.get("shape"), '["batch"]')
        an_integer(entry.get("missing_rows"), f"{where}.missing_rows", least=0)
        _KINDS[kind](entry, where)
    different(names, "inputs")
    return dtype


def _number(entry: Mapping[str, Any], where: str) -> None:
    _range(entry, where)
    if entry.get("fill") is not None:
        a_number(entry["fill"], f"{where}.fill")
    a_boolean(entry.get("indicator"), f"{where}.indicator")
    for limit in ("above", "at_least"):
        if limit in entry:
            a_number(entry[limit], f"{where}.{limit}")


def _category(entry: Mapping[str, Any], where: str) -> None:
    names = []
    levels = a_list(entry.get("levels"), f"{where}.levels", empty=True)
    for place, each in enumerate(levels):
        level = an_object(each, f"{where}.levels[{place}]")
        names.append(a_text(level.get("name"), f"{where}.levels[{place}].name"))
        an_integer(level.get("rows"), f"{where}.levels[{place}].rows", least=0)
    different(names, f"{where}.levels")
    a_text(entry.get("reference"), f"{where}.reference")
    one_of(entry.get("unseen"), ("refuse", "reference", "rare"), f"{where}.unseen")
    an_integer(entry.get("rare_rows"), f"{where}.rare_rows", least=0)
    a_boolean(entry.get("has_missing"), f"{where}.has_missing")


def _date(entry: Mapping[str, Any], where: str) -> None:
    one_of(entry.get("unit"), ("days", "seconds"), f"{where}.unit")
    parts = a_list(entry.get("parts"), f"{where}.parts")
    for place, part in enumerate(parts):
        one_of(part, PARTS, f"{where}.parts[{place}]")
    levels = an_object(entry.get("levels"), f"{where}.levels")
    for part, values in levels.items():
        one_of(part, ("month", "weekday"), f"{where}.levels")
        for place, each in enumerate(a_list(values, f"{where}.levels.{part}")):
            an_integer(each, f"{where}.levels.{part}[{place}]")
    low = an_integer(entry.get("min"), f"{where}.min")
    high = an_integer(entry.get("max"), f"{where}.max")
    if low > high:
        refuse(f"{where}.min", low, f"no more than its max, {high}")


_KINDS: dict[str, Callable[[Mapping[str, Any], str], None]] = {
    "number": _number,
    "category": _category,
    "date": _date,
}


def _outputs(value: Any, dtype: str | None, *, alone: bool) -> None:
    """Check the outputs.

    dtype: of the numbers, if the inputs say it. alone: True if each target has an output of its
    own, as in version 2.
    """
    outputs = a_list(value, "outputs")
    names: list[str] = []
    targets_of: dict[str, list[str]] = {}
    for index, each in enumerate(outputs):
        where = f"outputs[{index}]"
        output = an_object(each, where)
        names.append(a_text(output.get("name"), f"{where}.name"))
        meaning = one_of(output.get("meaning"), MEANINGS, f"{where}.meaning")
        kinds = ("bool",) if meaning == "in_range" else (dtype,) if dtype else FLOATS
        kind = one_of(output.get("dtype"), kinds, f"{where}.dtype")
        if meaning != "in_range":
            dtype = kind
        targets = a_list(output.get("targets"), f"{where}.targets", empty=meaning == "in_range")
        for column, target in enumerate(targets):
            a_text(target, f"{where}.targets[{column}]")
        different(targets, f"{where}.targets")
        if alone and len(targets) > 1:
            refuse(f"{where}.targets", targets, "one target")
        if not alone and targets not in (outputs[0]["targets"], []):
            refuse(f"{where}.targets", targets, "the targets of the first output")
        a_shape(output.get("shape"), len(targets) or 1, f"{where}.shape")
        if meaning in targets_of and not alone:
            raise ValueError(f"outputs: found {meaning} twice")
        targets_of.setdefault(meaning, []).extend(targets)
    different(names, "outputs")
    if "prediction" not in targets_of or ("low" in targets_of) != ("high" in targets_of):
        refuse("outputs", ", ".join(targets_of), "a prediction, and low and high both or neither")
    for meaning, targets in targets_of.items():
        different(targets, f"outputs, {meaning}")
        if targets not in (targets_of["prediction"], []):
            refuse(f"outputs, {meaning}", targets, "the targets of the predictions")

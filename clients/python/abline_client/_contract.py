"""The contract of a model: read it, and compare it with its ONNX file."""

import hashlib
import json
import math
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import onnxruntime
from numpy.typing import NDArray

CONTRACT_VERSION = 1  # of the contracts that this client reads
METADATA_KEY = "abline.contract"  # of the terms in the ONNX file
ONNXRUNTIME_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "bool": "tensor(bool)",
}
MEANINGS = ("prediction", "low", "high", "in_range")
WIDEST_BOUND = 0.01  # as a share of the size of the answers; a wider bound proves nothing


class ContractError(Exception):
    """The model and its contract do not agree, or cannot be read."""


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2 rows"."""
    return f"{number} {noun}" + "s" * (number != 1)


def shown(names: Iterable[Any]) -> str:
    """Return names for a message: the first ten, control characters escaped."""
    texts = [
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))
        for name in names
    ]
    return ", ".join(texts[:10]) + ", …" * (len(texts) > 10)


def content_of(path: Path) -> bytes:
    """Read a file. Raises ContractError for a pipe or a device, which may have no end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ContractError(f"{path}: must be a regular file")
    return path.read_bytes()


def parse(text: str | bytes, place: str) -> dict[str, Any]:
    """Read a contract, or the terms in an ONNX file, and check its form. place: for messages."""
    try:
        # json.loads would take bytes for UTF-16, too, which no other client does.
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        contract: dict[str, Any] = json.loads(text, parse_constant=_no_number)
        if not isinstance(contract, dict):
            _refuse("the whole", contract, "an object")
        version = contract.get("version")
        if isinstance(version, bool) or version != CONTRACT_VERSION:
            raise ContractError(
                f"{place}: version {_short(version)}; this client reads {CONTRACT_VERSION}:"
                " take the client of the same release as the model"
            )
        _check_form(contract)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{place}: not a contract ({error})") from None
    return contract


def compare(
    contract: Mapping[str, Any], terms: Mapping[str, Any], beside: Path, file: Path
) -> None:
    """Check that contract.json agrees with the terms in the ONNX file."""
    try:
        differing_keys = [key for key, value in terms.items() if contract.get(key) != value]
    except RecursionError:
        raise ContractError(f"{file}, {METADATA_KEY}: not a contract (nested too deeply)") from None
    if differing_keys:
        raise ContractError(
            f"{beside} contradicts the terms in {file} ({shown(differing_keys)}); take both"
            " from one result"
        )


def check_digest(content: bytes, contract: Mapping[str, Any], file: Path, beside: Path) -> None:
    """Check that the ONNX file has the sha256 in its contract.json."""
    digest = hashlib.sha256(content).hexdigest()
    if contract.get("sha256") != digest:
        raise ContractError(
            f"{file} is not the file that {beside} describes: its sha256 is {digest}, must be"
            f" {_short(contract.get('sha256'))}; take both from one result"
        )


def check_graph(
    session: onnxruntime.InferenceSession, contract: Mapping[str, Any], file: Path
) -> None:
    """Check that the graph has the inputs and outputs that the contract names."""
    required = [
        (each["name"], ONNXRUNTIME_TYPES[each["dtype"]], ["batch", each["shape"][1]])
        for each in (contract["input"], *contract["outputs"])
    ]
    actual = [
        (each.name, each.type, ["batch", *each.shape[1:]] if _is_open(each.shape) else each.shape)
        for each in (*session.get_inputs(), *session.get_outputs())
    ]
    if actual != required:
        raise ContractError(f"{file}: its inputs and outputs are {actual}, must be {required}")


def _is_open(shape: Sequence[Any]) -> bool:
    """True if the first dimension may have any size."""
    return len(shape) > 0 and not isinstance(shape[0], int)


def check_vectors(contract: Mapping[str, Any], place: str) -> None:
    """Check that the golden vectors are complete and that their bounds prove something."""
    try:
        _check_vectors(contract.get("golden"), contract)
    except ValueError as error:
        raise ContractError(
            f"{place}: the golden vectors in its contract.json are not whole: {error}"
        ) from None


def _check_form(contract: Mapping[str, Any]) -> None:
    entry = _object(contract.get("input"), "input")
    _text(entry.get("name"), "input.name")
    dtype = _one_of(entry.get("dtype"), ("float32", "float64"), "input.dtype")
    features = _list(entry.get("features"), "input.features")
    names = []
    for index, each in enumerate(features):
        where = f"input.features[{index}]"
        feature = _object(each, where)
        names.append(_text(feature.get("name"), f"{where}.name"))
        low = _number(feature.get("min"), f"{where}.min")
        high = _number(feature.get("max"), f"{where}.max")
        if low > high:
            _refuse(f"{where}.min", low, f"no more than its max, {high:g}")
        mean = feature.get("mean")
        if mean is not None and not low <= _number(mean, f"{where}.mean") <= high:
            _refuse(f"{where}.mean", mean, f"from {low:g} to {high:g}")
    _different(names, "input.features")
    _shape(entry.get("shape"), len(features), "input.shape")
    outputs = _list(contract.get("outputs"), "outputs")
    named_meanings: list[tuple[str, str]] = []
    for index, each in enumerate(outputs):
        where = f"outputs[{index}]"
        output = _object(each, where)
        name = _text(output.get("name"), f"{where}.name")
        meaning = _one_of(output.get("meaning"), MEANINGS, f"{where}.meaning")
        kind = "bool" if meaning == "in_range" else dtype
        _one_of(output.get("dtype"), (kind,), f"{where}.dtype")
        targets = _list(output.get("targets"), f"{where}.targets", empty=meaning == "in_range")
        for column, target in enumerate(targets):
            _text(target, f"{where}.targets[{column}]")
        _different(targets, f"{where}.targets")
        if targets not in (outputs[0]["targets"], []):
            _refuse(f"{where}.targets", targets, "the targets of the first output")
        _shape(output.get("shape"), len(targets) or 1, f"{where}.shape")
        named_meanings.append((name, meaning))
    _different([name for name, _ in named_meanings], "outputs")
    meanings = [meaning for _, meaning in named_meanings]
    _different(meanings, "outputs")
    if "prediction" not in meanings or ("low" in meanings) != ("high" in meanings):
        _refuse("outputs", ", ".join(meanings), "a prediction, and low and high both or neither")


def _check_vectors(golden: Any, contract: Mapping[str, Any]) -> None:
    entry, dtype = contract["input"], np.dtype(contract["input"]["dtype"])
    golden = _object(golden, "golden")
    rows = _list(golden.get("inputs"), "golden.inputs")
    x = _table(rows, (len(rows), len(entry["features"])), "golden.inputs")
    with np.errstate(over="ignore"):
        if not np.array_equal(x.astype(dtype), x):
            raise ValueError(f"golden.inputs: must be numbers that {dtype} holds")
    tables: dict[str, list[NDArray[np.float64]]] = {}
    for part in ("outputs", "bounds"):
        of_part = _object(golden.get(part), f"golden.{part}")
        for output in contract["outputs"]:
            name, shape = output["name"], (len(rows), output["shape"][1])
            table = _table(of_part.get(name), shape, f"golden.{part}.{name}")
            tables.setdefault(name, []).append(table)
    real = []
    for output in contract["outputs"]:
        name, (right, bounds) = output["name"], tables[output["name"]]
        if (bounds < 0).any():
            _refuse(f"golden.bounds.{name}", float(bounds.min()), "0 or more")
        if output["meaning"] != "in_range":
            real.append((name, right, bounds))
        elif bounds.any() or not np.isin(right, (0, 1)).all():
            raise ValueError(f"golden.bounds.{name}: must be 0, of answers that are 0 or 1")
    _check_bounds(x, real, entry["features"], np.finfo(dtype))


def _check_bounds(
    x: NDArray[np.float64],
    real: Sequence[tuple[str, NDArray[np.float64], NDArray[np.float64]]],
    features: Sequence[Mapping[str, Any]],
    kind: Any,
) -> None:
    """Refuse bounds that are too wide to prove anything.

    An answer is a sum of terms that the contract does not have. The answers give their size: the
    largest answer in the training range, times the distance of the row relative to that range, or
    the row's own answer. A bound may be WIDEST_BOUND times the size, or eps (p + 3)² times for many
    features p, whose terms may be p times their sum.
    x: [rows, features]; real: name, answers and bounds, [rows, targets].
    """
    reach = np.array([max(abs(float(f["min"])), abs(float(f["max"]))) for f in features])
    answers = np.max([np.abs(right) for _, right, _ in real], axis=0)
    with np.errstate(over="ignore"):
        outside = (np.abs(x) / np.where(reach > 0, reach, 1)).max(axis=1).clip(1)[:, None]
        largest = answers.max(axis=0, where=outside == 1, initial=0) + float(kind.smallest_normal)
        size = np.maximum(np.minimum(outside * largest, float(kind.max)), answers)
    share = max(WIDEST_BOUND, float(kind.eps) * (x.shape[1] + 3) ** 2)
    for name, _, bounds in real:
        if (wide := bounds > share * size).any():
            row, column = (int(index[0]) for index in np.nonzero(wide))
            raise ValueError(
                f"golden.bounds.{name}[{row}]: found {bounds[row, column]:.3g}, which is no bound"
                f" to answers of the size {size[row, column]:.3g}"
            )


def _table(value: Any, shape: tuple[int, int], where: str) -> NDArray[np.float64]:
    """Return a table of finite numbers, [rows, columns]."""
    rows = _list(value, where)
    if len(rows) != shape[0]:
        raise ValueError(f"{where}: found {count(len(rows), 'row')}, must be {shape[0]}")
    for index, row in enumerate(rows):
        if len(_list(row, f"{where}[{index}]")) != shape[1]:
            raise ValueError(
                f"{where}[{index}]: found {count(len(row), 'number')}, must be {shape[1]}"
            )
        if not {type(each) for each in row} <= {float} or not all(map(math.isfinite, row)):
            for column, each in enumerate(row):
                _number(each, f"{where}[{index}][{column}]")
    return np.array(rows, np.float64)


def _object(value: Any, where: str) -> dict[str, Any]:
    return value if isinstance(value, dict) else _refuse(where, value, "an object")


def _list(value: Any, where: str, *, empty: bool = False) -> list[Any]:
    if isinstance(value, list) and (value or empty):
        return value
    return _refuse(where, value, "a list" if empty else "a list that is not empty")


def _text(value: Any, where: str) -> str:
    return value if isinstance(value, str) else _refuse(where, value, "text")


def _one_of(value: Any, allowed: tuple[str, ...], where: str) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    return _refuse(where, value, " or ".join(allowed))


def _shape(value: Any, columns: int, where: str) -> None:
    if value != ["batch", columns] or isinstance(value[1], bool):
        _refuse(where, value, f'["batch", {columns}]')


def _number(value: Any, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:  # an integer of hundreds of digits
            number = math.inf
        if math.isfinite(number):
            return number
    return _refuse(where, value, "a finite number")


def _different(names: Sequence[str], where: str) -> None:
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"{where}: found {shown(twice)} twice")


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"found {text}, which is no JSON")


def _refuse(where: str, value: Any, allowed: str) -> NoReturn:
    raise ValueError(f"{shown([where])}: found {_short(value)}, must be {allowed}")


def _short(value: Any) -> str:
    """Return a value of a contract for a message."""
    try:
        text = json.dumps(value, separators=(",", ":"))
    except (ValueError, RecursionError):  # an integer of thousands of digits, or as many brackets
        text = "something huge"
    return text if len(text) <= 60 else text[:59] + "…"

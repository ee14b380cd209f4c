"""The contract of a model: read it, and compare it with its ONNX file."""

import hashlib
import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from abline_client import _vectors
from abline_client._form import VERSIONS, check_form
from abline_client._json_values import no_constant, refuse, short
from abline_client._messages import shown

METADATA_KEY = "abline.contract"  # of the terms in the ONNX file
ONNXRUNTIME_TYPES = {
    "float32": "tensor(float)",
    "float64": "tensor(double)",
    "bool": "tensor(bool)",
    "int64": "tensor(int64)",
    "string": "tensor(string)",
}


class ContractError(Exception):
    """The model and its contract do not agree, or cannot be read."""


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
        contract: dict[str, Any] = json.loads(text, parse_constant=no_constant)
        if not isinstance(contract, dict):
            refuse("the whole", contract, "an object")
        version = contract.get("version")
        if isinstance(version, bool) or version not in VERSIONS:
            raise ContractError(
                f"{place}: version {short(version)}; this client reads 1 and 2:"
                " take the client of the same release as the model"
            )
        check_form(contract)
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
            f" {short(contract.get('sha256'))}; take both from one result"
        )


def check_graph(
    session: onnxruntime.InferenceSession, contract: Mapping[str, Any], file: Path
) -> None:
    """Check that the graph has the inputs and outputs that the contract names."""
    inputs = [contract["input"]] if contract["version"] == 1 else contract["inputs"]
    required = [
        (each["name"], ONNXRUNTIME_TYPES[each["dtype"]], ["batch", *each["shape"][1:]])
        for each in (*inputs, *contract["outputs"])
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
        _vectors.check_vectors(contract)
    except ValueError as error:
        raise ContractError(
            f"{place}: the golden vectors in its contract.json are not whole: {error}"
        ) from None

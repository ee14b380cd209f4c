"""Check an ONNX file and its contract as a client does: with the Python client itself."""

from pathlib import Path
from tempfile import TemporaryDirectory

import abline_client

from pipeline.onnx_model.check import Check
from pipeline.onnx_model.contract import Contract
from pipeline.settings import files

GOLDEN_VECTORS = "golden vectors"
"""Name of this check, and of these rows in the other checks."""


def check(content: bytes, contract: Contract) -> Check:
    """Load the file with its contract and answer the golden vectors, as on a client's machine.

    content: the bytes of the ONNX file.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        files.write_bytes(folder / files.ONNX.name, content)
        files.write_json(folder / files.CONTRACT.name, contract.model_dump(mode="json"))
        try:
            result = abline_client.load(folder).conformance()
        except abline_client.ContractError as error:
            return Check(GOLDEN_VECTORS, str(error).replace(f"{folder}/", ""))
    largest_bound = max(
        (
            number
            for rows in contract.golden.bounds.values()
            for row in rows
            for number in row
            if number is not None
        ),
        default=0.0,
    )
    return Check(GOLDEN_VECTORS, result.problem, result.vectors, largest_bound, result.worst)

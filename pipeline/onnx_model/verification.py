"""Verification of an ONNX file by every check, and the report of it."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnxruntime

from pipeline.onnx_model import answer_checks, conformance, encoding_check, structure_checks
from pipeline.onnx_model.check import Check
from pipeline.onnx_model.contract import Contract
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Inputs


def verify(
    content: bytes, contract: Contract, expected: Expected, rows: Mapping[str, Inputs]
) -> list[Check]:
    """Check the bytes of an ONNX file. rows: the rows to try, by kind.

    A client's check comes last, and only if the other checks have passed: it would find the same
    problem with fewer rows.
    """
    checks = structure_checks.run(content, expected)
    checks += encoding_check.run(content, expected, rows)
    checks += answer_checks.run(content, expected, rows)
    if not any(check.problem for check in checks):
        checks.append(conformance.check(content, contract))
    return checks


@dataclass(frozen=True)
class TriedRows:
    """The number of training rows that a file was tried on, and the number of all of them."""

    tried: int
    of: int

    def __str__(self) -> str:
        """Return the rows in words."""
        if self.tried == self.of:
            return f"all {self.of:,} training rows"
        return f"{self.tried:,} of {self.of:,} training rows"


def report(
    content: bytes, checks: Sequence[Check], opset: int, derivation: str, training: TriedRows
) -> dict[str, Any]:
    """Return the content of verification.json: the file, the checks, and the allowed differences.

    derivation: how the bounds were computed, as contract.json says it.
    """
    return {
        "training_rows": {"tried": training.tried, "of": training.of},
        "allowed": derivation,
        "model_md5": hashlib.md5(content).hexdigest(),
        "checks": [
            {"name": check.name, "rows": check.rows, "bound": check.bound} for check in checks
        ],
        "opset": opset,
        "onnxruntime": onnxruntime.__version__,
    }


def failure(checks: Sequence[Check], expected: Expected) -> str | None:
    """Return the message if a check failed, with advice if the differences are small; else None."""
    failed = [check for check in checks if check.problem]
    if not failed:
        return None
    message = (
        f"the ONNX file failed {len(failed)} of {len(checks)} checks and was not written:\n  "
        + "\n  ".join(f"{check.name}: {check.problem}" for check in failed)
    )
    excess = max(check.excess for check in failed)
    if expected.line is not None or not math.isfinite(excess):
        return message
    enough = float(f"{(expected.atol + excess) * 2:.0e}")
    return message + (
        "\nThe differences are small, but more than rounding explains: onnxruntime computes some"
        " function of this model less exactly than torch. If that is exact enough for you, set"
        f" export.atol to {enough:g} (it is {expected.atol:g}): how far answers may be apart"
        " beyond rounding"
    )

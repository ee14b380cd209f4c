"""Format of the messages between a training and the recorder of its run, and of their time.

The training writes lines of JSON:

    ["begin", milliseconds, params, training_id, the training's process]
    ["losses", n]                            followed by the bytes of n rows of four float64
    ["end", milliseconds, status, reason]

The recorder answers ["ready"] when it is about to open the store, and ["trouble", reason, cure] if
the store fails. Milliseconds are counted from 1970.
"""

import json
import math
import time
from array import array
from typing import Any

from pipeline.settings.csv_cells import nine_digits

TimedLosses = tuple[int, float, float | None, int]
"""An epoch, its loss, the loss of the held-out rows (None if there are none), and the time when
they were known, in milliseconds since 1970."""

NUMBERS_PER_ROW = 4
"""Numbers of one epoch: the fields of `TimedLosses`, with NaN in place of None."""


def milliseconds() -> int:
    """Return the time now in milliseconds since 1970, as MLflow counts it."""
    return time.time_ns() // 1_000_000


def line(kind: str, *content: Any) -> bytes:
    """Return a message of either side as a line."""
    return json.dumps([kind, *content]).encode() + b"\n"


def row(epoch: int, loss: float, test_loss: float | None, known_at: int) -> tuple[float, ...]:
    """Return the numbers of one epoch for `losses_line`."""
    return (epoch, loss, math.nan if test_loss is None else test_loss, known_at)


def losses_line(rows: "array[float]") -> bytes:
    """Return the line of rows of losses, with their bytes. rows: float64 [n * NUMBERS_PER_ROW]."""
    return line("losses", len(rows) // NUMBERS_PER_ROW) + rows.tobytes()


def read_losses(content: bytes) -> list[TimedLosses]:
    """Return the losses, to nine digits, in the bytes that follow a line."""
    numbers = array("d", content)
    return [
        (
            int(epoch),
            nine_digits(loss),
            None if math.isnan(test) else nine_digits(test),
            int(known_at),
        )
        for epoch, loss, test, known_at in zip(*[iter(numbers)] * NUMBERS_PER_ROW, strict=True)
    ]

"""The pipeline's own CSV files: no spreadsheet computes a cell, and numbers are written short."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import files, regular_file


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file with a header line, Unix line ends and quotes only where needed.

    Text that a spreadsheet would compute is changed by `safe`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(safe(header))
    writer.writerows(map(safe, rows))
    files.write_bytes(path, text.getvalue().encode())


# A spreadsheet takes text with this beginning for a formula. A sign before a plain word or number,
# such as "-x" or "-1e-5", is harmless, and is not changed.
_FORMULA = re.compile(r"'*([=@\t\r]|[-+](?!([\w .%]*|[\d.]+[eE][-+]?\d+ *)$))")


def safe(cells: Iterable[Any]) -> list[Any]:
    """Return cells of a CSV, with an apostrophe before text that a spreadsheet would compute."""
    return [
        f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in cells
    ]


def restored(cells: Iterable[str]) -> list[str]:
    """Return the cells as they were before `safe`."""
    return [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in cells]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file that `write_csv` wrote; each is a dict by column."""
    lines = io.StringIO(regular_file.text(path, regular_file.CURE_BY_REPRO), newline="")
    header, *rows = map(restored, csv.reader(lines))
    return [dict(zip(header, row, strict=True)) for row in rows]


def shortest(values: NDArray[np.floating[Any]]) -> list[float]:
    """Return floats that Python prints in the shortest form that reads back as the same `values`.

    For float32 this form is shorter than for the same number as float64: 0.1, not
    0.10000000149011612.
    """
    return [float(str(value)) for value in values]


def nine_digits(loss: float) -> float:
    """Return `loss` with nine digits: all that float32 has, and few depend on the sum's order."""
    return float(f"{loss:.9g}")

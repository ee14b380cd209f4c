"""Cells of CSV files: no spreadsheet computes a name, and numbers are as short as they can be."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pipeline.settings import csv_cells

HARMLESS = [
    "x",
    "-x",
    "+1",
    "-x 2.5%",
    "a=b",
    "a@b",
    "'quoted'",
    "'-x",
    "-1.5",
    "-1e-5",
    "+2.5E+10",
    "µ",
    "",
]
COMPUTED = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+cmd|' /C calc'!A0",
    "-log10(p)",
    "-1e-5+A1",
    "-A1e-5",
    "@SUM(1)",
    "\t=1",
]


@pytest.mark.parametrize("name", [*HARMLESS, *COMPUTED, *(f"'{name}" for name in COMPUTED)])
def test_names_in_csv_files_are_computed_by_nobody_and_come_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    csv_cells.write_csv(path, ["term", f"{name} "], [[name, -1.5]])
    with path.open(newline="") as file:
        (_, heading), (cell, number) = csv.reader(file)
    assert number == "-1.5"
    if name in HARMLESS:
        assert (cell, heading) == (name, f"{name} ")
    else:
        assert (cell, heading) == (f"'{name}", f"'{name} ")
    assert csv_cells.read_csv(path) == [{"term": name, f"{name} ": "-1.5"}]


def test_floats_are_written_as_short_as_they_can_be() -> None:
    assert csv_cells.shortest(np.array([0.1, 1 / 3], dtype=np.float32)) == [0.1, 0.33333334]

"""reports/path.csv is read as it was written, and is one message if it cannot be."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.learning import path_file
from pipeline.learning.path_file import PairError, PenaltyPath
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError

NAMES = ("l1", "target", "=a, b", "heating[gas]")
PATH = PenaltyPath(
    target="y",
    penalty="l1",
    values=np.array([0.3, 0.1]),
    other=0.5,
    error=np.array([2.0, 1.5]),
    std_error=np.array([0.1, 0.2]),
    weight=np.array([[0.0, 0, 0, 0], [1 / 3, 0, -2, 0]]),
    bias=np.array([7.0, 8.0]),
    features=NAMES,
    best=1,
    one_standard_error=0,
    chosen=0,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_path_is_read_as_it_was_written() -> None:
    path_file.write([PATH, replace(PATH, target="z", best=0)], NAMES)
    first, second = path_file.read("l1")
    for each in fields(PenaltyPath):
        np.testing.assert_array_equal(getattr(first, each.name), getattr(PATH, each.name))
    assert (second.target, second.best) == ("z", 0)
    assert (first.l1, first.l2) == (0.3, 0.5)
    rows = csv_cells.read_csv(files.PATH)
    assert [row["nonzero"] for row in rows[:2]] == ["0", "2"]
    assert [row["chosen"] for row in rows[:2]] == ["1", "0"]
    assert rows[1]["weight heating[gas]"] == "0.0"


def test_pairs_without_weights_are_read_as_they_were_written() -> None:
    pairs = (PairError(0.3, 1.0, 2.5, 0.1), PairError(0.1, 1.0, 2.25, 1 / 3))
    path_file.write([replace(PATH, other_pairs=pairs)], NAMES)
    (path,) = path_file.read("l1")
    assert path.other_pairs == pairs
    assert (path.l1, path.l2, path.weight.shape) == (0.3, 0.5, (2, 4))
    rows = csv_cells.read_csv(files.PATH)
    assert [(row["l1"], row["l2"], row["chosen"]) for row in rows] == [
        *(("0.3", "0.5", "1"), ("0.1", "0.5", "0"), ("0.3", "1.0", "0"), ("0.1", "1.0", "0"))
    ]


def test_without_a_choice_there_is_one_line() -> None:
    path_file.write([], NAMES)
    assert len(files.PATH.read_text().splitlines()) == 1
    with pytest.raises(UserError, match=r"path.csv: found no penalties, but train.l2 is cv"):
        path_file.read("l2")


def test_a_file_that_is_missing_or_damaged_is_one_message() -> None:
    with pytest.raises(UserError, match=r"path.csv: there is no such file"):
        path_file.read("l2")
    path_file.write([PATH], NAMES)
    files.PATH.write_text(files.PATH.read_text().replace("0.3", "x"))
    with pytest.raises(UserError, match=r"path.csv: damaged \(ValueError"):
        path_file.read("l1")

"""A pipe, a device or a folder in the place of a file is one message, and nothing is waited for."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import job

from pipeline.learning import weights
from pipeline.report import summary
from pipeline.results import place
from pipeline.settings import csv_cells, dvc_md5, ids, regular_file
from pipeline.settings.errors import UserError
from pipeline.tables import table

READERS: dict[str, Callable[[Path], Any]] = {
    "model": lambda path: weights.load(path, job().model, 1, 1),
    "training_id": ids.trained_by,
    "md5": dvc_md5.of,
    "report": summary.check_report,
    "csv": csv_cells.read_csv,
    "table": table.read,
    "result": place.lossy_text,
}


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_or_a_device_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for path in (tmp_path / "pipe", tmp_path / "zeros"):
        with pytest.raises(UserError) as caught:
            READERS[name](path)
        assert str(caught.value).startswith(f"{path}: found a pipe or a device; must be a file")


def test_a_file_is_read_and_a_folder_is_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes("größe\r\n".encode())
    assert regular_file.text(path) == "größe\r\n"
    path.write_bytes(b"ab\xff")
    with pytest.raises(UserError, match=r"file: not UTF-8 text \(invalid start byte at byte 2\)"):
        regular_file.text(path)
    with pytest.raises(UserError, match="found a folder; must be a file; name another"):
        regular_file.check(tmp_path, "name another")
    with pytest.raises(FileNotFoundError):
        regular_file.check(tmp_path / "gone")

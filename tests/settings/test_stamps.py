"""A stamp changes whenever the content of a file may have changed."""

import os
from pathlib import Path

import pytest

from pipeline.settings import stamps


def test_a_stamp_shows_an_edit_that_puts_size_and_time_back(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("1,2")
    before, status = stamps.of(str(path)), path.stat()
    assert stamps.of(str(path)) == before
    path.unlink()
    path.write_text("1,3")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert stamps.of(str(path)) != before


def test_what_is_no_regular_file_has_no_stamp_and_no_md5(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for a writer
    for name in ("gone", "pipe", "."):
        assert stamps.of(str(tmp_path / name)) is None
        assert stamps.md5(str(tmp_path / name)) == ""


def test_code_is_noted_before_it_is_imported(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "_code", {})
    stamps.note_code()
    noted = stamps.noted("pipeline/train.py")
    assert noted is not None
    assert noted.md5 == stamps.md5("pipeline/train.py")
    Path("pipeline/train.py").write_text("edited")
    assert stamps.noted("pipeline/train.py") == noted
    assert stamps.noted("params.yaml") is None

"""Gathering the files of a result from its commit and from DVC's cache."""

import os
from pathlib import Path

from pipeline.results import gathering


def test_a_folder_has_files_alone(tmp_path: Path) -> None:
    """Links and pipes have no md5, but would be logged with the folder."""
    (tmp_path / "out/below").mkdir(parents=True)
    (tmp_path / "out/below/a").write_text("")
    assert gathering._is_plain(tmp_path / "out")
    (tmp_path / "out/link").symlink_to(tmp_path)
    assert not gathering._is_plain(tmp_path / "out")
    (tmp_path / "out/link").unlink()
    os.mkfifo(tmp_path / "out/pipe")
    assert not gathering._is_plain(tmp_path / "out")
    assert not gathering._is_plain(tmp_path / "out/pipe")

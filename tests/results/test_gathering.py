"""Files of a result, gathered from its commit and from DVC's cache."""

import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.results import dvc_cache, gathering
from pipeline.settings import safe_path


def test_a_folder_has_files_alone(tmp_path: Path) -> None:
    """What is no file has no md5: a run would be given it all the same."""
    (tmp_path / "out/below").mkdir(parents=True)
    (tmp_path / "out/below/a").write_text("")
    assert gathering._is_plain(tmp_path / "out")
    (tmp_path / "out/link").symlink_to(tmp_path)
    assert not gathering._is_plain(tmp_path / "out")
    (tmp_path / "out/link").unlink()
    os.mkfifo(tmp_path / "out/pipe")
    assert not gathering._is_plain(tmp_path / "out")
    assert not gathering._is_plain(tmp_path / "out/pipe")


@pytest.mark.parametrize(
    "text",
    ["", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + ".dir/..", "0" * 32 + "\n", "ab/../secret", 7],
)
def test_what_is_no_md5_is_none(text: Any) -> None:
    assert not safe_path.is_md5(text)
    assert not dvc_cache.has(text)

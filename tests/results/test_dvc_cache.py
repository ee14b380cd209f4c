"""Only files with their md5 are linked from DVC's cache, and damaged lists are refused."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from pipeline.results import dvc_cache
from pipeline.settings.errors import UserError

Keep = Callable[..., str]


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Return a function that puts a file into a cache and returns its md5."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(dvc_cache, "location", lambda: (cache, False))

    def put(content: bytes, kind: str = "", md5: str | None = None) -> str:
        md5 = md5 or hashlib.md5(content).hexdigest() + kind
        path = cache / md5[:2] / md5[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return md5

    return put


def listing(*files: tuple[str, str]) -> bytes:
    """Return DVC's list of a folder."""
    return json.dumps([{"relpath": path, "md5": md5} for path, md5 in files]).encode()


def test_a_file_and_a_folder_are_linked(keep: Keep, tmp_path: Path) -> None:
    one = keep(b"one")
    folder = keep(listing(("a", one), ("below/b", keep(b"two"))), ".dir")
    assert dvc_cache.has(one)
    assert dvc_cache.link(one, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"one"
    assert dvc_cache.link(folder, tmp_path / "folder")
    assert (tmp_path / "folder/below/b").read_bytes() == b"two"


def test_a_file_that_is_damaged_or_gone_is_missing(keep: Keep, tmp_path: Path) -> None:
    """A run would show it as the result's."""
    damaged = keep(b"changed by hand", md5="0" * 32)
    assert not dvc_cache.link(damaged, tmp_path / "file")
    assert not dvc_cache.link("1" * 32, tmp_path / "file")
    folder = keep(listing(("a", keep(b"one")), ("b", "1" * 32)), ".dir")
    assert not dvc_cache.link(folder, tmp_path / "folder")
    assert (tmp_path / "folder/a").read_bytes() == b"one", "the others are there"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[7]", r"is damaged \(TypeError\)"),
        (b"[", r"is damaged \(JSONDecodeError\)"),
        (listing(("a", "0" * 31)), r"'0{31}' is no md5 of a file"),
        (listing(("a", "0" * 32 + ".dir")), "is no md5 of a file"),
        (listing(("a", "0" * 32), ("a", "1" * 32)), "names a file twice"),
        (listing(("../a", "0" * 32)), r"names the file '../a'"),
        (b"[" + b" " * 200 + b"]", "larger than 200 bytes"),
    ],
)
def test_a_damaged_list_is_refused(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    monkeypatch.setattr(dvc_cache, "LARGEST_LIST_BYTES", 200)
    with pytest.raises(UserError, match=message):
        dvc_cache.link(keep(content, ".dir"), tmp_path / "folder")


@pytest.mark.parametrize(
    "text",
    ["", "0" * 31, "0" * 33, "A" * 32, "0" * 32 + ".dir/..", "0" * 32 + "\n", "ab/../secret", 7],
)
def test_what_is_no_md5_names_no_file(text: Any) -> None:
    assert not dvc_cache.has(text)


def test_dvc_is_opened_once_however_often_its_cache_is_asked(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = MagicMock()
    monkeypatch.setattr("dvc.repo.Repo", repo)
    dvc_cache.location.cache_clear()
    try:
        places = {dvc_cache.location() for _ in range(3)}
        assert not dvc_cache.has("0" * 32)
    finally:
        dvc_cache.location.cache_clear()
    assert len(places) == 1
    repo.assert_called_once()

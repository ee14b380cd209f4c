"""The files that DVC hashes, and the md5 that it makes of them: test_ids asks DVC itself."""

import hashlib
import json
from pathlib import Path

import pytest

from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError


def test_the_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder of the code DVC ignores what is no code; elsewhere it hashes every file."""
    monkeypatch.chdir(tmp_path)
    for folder in ("pipeline", "data"):
        for name in ("room/b.py", "a.py", ".hidden.py", "__pycache__/a.pyc", "notes.txt"):
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    assert list(dvc_md5.files("pipeline")) == ["pipeline/a.py", "pipeline/room/b.py"]
    assert len(list(dvc_md5.files("data"))) == 5
    assert list(dvc_md5.files("data/a.py")) == ["data/a.py"]
    assert list(dvc_md5.files("data/gone.csv")) == ["data/gone.csv"]


def test_the_md5_of_a_folder_is_the_md5_of_its_list_of_files(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    md5s = {name: hashlib.md5(name.encode()).hexdigest() for name in ("a/c.txt", "b.txt")}
    assert dvc_md5.of(tmp_path / "b.txt") == md5s["b.txt"]
    listing = json.dumps([{"md5": md5, "relpath": name} for name, md5 in md5s.items()])
    assert dvc_md5.of(tmp_path) == hashlib.md5(listing.encode()).hexdigest() + ".dir"
    with pytest.raises(UserError, match=r"gone.txt: there is no such file; `dvc repro` makes it"):
        dvc_md5.of(tmp_path / "gone.txt")


def test_of_code_that_is_gone_no_stage_is_named(workspace: Path) -> None:
    Path("modules/.gitkeep").unlink()
    Path("modules").rmdir()
    with pytest.raises(UserError, match="modules: there is no such file; `git checkout -- modules"):
        dvc_md5.of(Path("modules"))

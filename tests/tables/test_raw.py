"""What is read under data/raw/ is what DVC watches, and nothing that never ends."""

import os
from pathlib import Path

import pytest
from conftest import Checkout
from own_tables import put, refusal, settings, values

from pipeline.settings import files
from pipeline.tables import source

PAIR = "x,y\n1,2\n"
NOT_WATCHED = "DVC does not follow: it would not notice when a table in it changes"


def found(pattern: str) -> list[str]:
    return [str(path) for path in source.find(settings(pattern).data).files]


# --- each file once


@pytest.mark.parametrize("pattern", ["**/*.csv", "**", "*/*.csv", "**/**/*.csv"])
def test_a_folder_linked_from_within_itself_is_read_once(workspace: Path, pattern: str) -> None:
    put(PAIR, "sub/t.csv")
    for name in ("loop", "other"):
        (files.RAW / "sub" / name).symlink_to(".")
    (files.RAW / "deep").mkdir()
    if pattern != "*/*.csv":  # which names no folder by itself
        (files.RAW / "deep/up").symlink_to("../sub")
    assert found(f"data/raw/{pattern}") == ["data/raw/sub/t.csv"]
    assert values(f"data/raw/{pattern}").tolist() == [[1, 2]]


def test_two_files_that_dvc_links_to_one_are_two(workspace: Path) -> None:
    """`dvc add` of two equal tables, where the cache gives links."""
    put(PAIR, "../cached")
    for name in ("monday.csv", "tuesday.csv"):
        (files.RAW / name).symlink_to("../cached")
    assert values("data/raw/*.csv").tolist() == [[1, 2], [1, 2]]


def test_a_glob_takes_what_pythons_own_takes(workspace: Path) -> None:
    for name in ("a.csv", "b/c.csv", "b/d/e.csv", "[f]/g.csv", ".hidden/h.csv", "b/.i.csv"):
        put(PAIR, name)
    assert found("data/raw/**/*.csv") == [
        f"data/raw/{name}" for name in ("[f]/g.csv", "a.csv", "b/c.csv", "b/d/e.csv")
    ]
    assert found("data/raw/**/d/*.csv") == ["data/raw/b/d/e.csv"]
    assert found("data/raw/b/**/*.csv") == ["data/raw/b/c.csv", "data/raw/b/d/e.csv"]


# --- what DVC watches


@pytest.mark.parametrize(
    ("pattern", "hit"),
    [("linked/t.csv", True), ("linked/*.csv", True), ("*/*.csv", True), ("**/*.csv", True),
     ("*.csv", False)],
)  # fmt: skip
def test_a_linked_folder_is_refused(workspace: Path, pattern: str, hit: bool) -> None:
    put(PAIR, "own.csv")
    (workspace / "elsewhere").mkdir()
    (workspace / "elsewhere/t.csv").write_text(PAIR)
    (files.RAW / "linked").symlink_to(workspace / "elsewhere")
    if not hit:
        assert found(f"data/raw/{pattern}") == ["data/raw/own.csv"]
        return
    assert refusal(path=f"data/raw/{pattern}") == (
        f"data.source: data/raw/linked is a link to a folder, which {NOT_WATCHED}; copy the tables"
        " here, or link each of them by itself"
    )
    # The cure.
    (files.RAW / "linked").unlink()
    (files.RAW / "linked").mkdir()
    (files.RAW / "linked/t.csv").symlink_to(workspace / "elsewhere/t.csv")
    assert "data/raw/linked/t.csv" in found(f"data/raw/{pattern}")


def test_a_repository_of_dvcs_in_it_is_refused(workspace: Path) -> None:
    put(PAIR, "theirs/t.csv")
    (files.RAW / "theirs/.git").mkdir()  # git's alone makes no difference to DVC
    assert found("data/raw/theirs/*.csv") == ["data/raw/theirs/t.csv"]
    (files.RAW / "theirs/.dvc").mkdir()
    assert "data/raw/theirs is a repository of DVC's of its own" in refusal(
        path="data/raw/theirs/*.csv"
    )


IGNORED = {
    "*.csv": ["a.csv", "sub/b.csv", "sub/c.csv"],
    "sub/": ["sub/b.csv", "sub/c.csv"],
    "/data/raw/sub\n!/data/raw/sub/b.csv": ["sub/b.csv", "sub/c.csv"],
    "data/raw/*\n!data/raw/sub": ["a.csv"],
    "# a.csv\n/a.csv\nb?.csv\n": [],
}


@pytest.mark.parametrize("lines", IGNORED)
def test_what_dvcignore_names_is_refused(workspace: Path, lines: str) -> None:
    names = ["a.csv", "sub/b.csv", "sub/c.csv"]
    for name in names:
        put(PAIR, name)
    (workspace / ".dvc").mkdir()
    (workspace / ".dvcignore").write_text(lines)
    for name in names:
        if name in IGNORED[lines]:
            told = refusal(path=f"data/raw/{name}")
            assert told.startswith(f"data.source: data/raw/{name} is left out by ")
            assert ".dvcignore: DVC would not notice when it changes; take the line away" in told
        else:
            assert found(f"data/raw/{name}") == [f"data/raw/{name}"]


def test_a_dvcignore_that_is_no_text_is_one_message(workspace: Path) -> None:
    put(PAIR, "a.csv")
    (workspace / ".dvc").mkdir()
    (workspace / ".dvcignore").write_bytes(b"/gr\xf6\xdfe.csv\n")
    told = refusal(path="data/raw/a.csv")
    assert ".dvcignore: not UTF-8 text (invalid start byte at byte 3); save it as UTF-8" in told


def test_dvc_watches_what_is_read_and_nothing_that_is_refused(workspace: Path) -> None:
    """Against DVC itself, so that another version of it that looks elsewhere is noticed."""
    from dvc.fs import localfs
    from dvc.repo import Repo

    for name in ("plain/a.csv", "git/b.csv", "dvc/c.csv", "ignored.csv", ".hg/d.csv"):
        put(PAIR, name)
    put(PAIR, "../elsewhere/e.csv")
    (files.RAW / "folder").symlink_to("../elsewhere")
    (files.RAW / "file.csv").symlink_to("../elsewhere/e.csv")
    for name in ("git/.git", "dvc/.dvc"):
        (files.RAW / name).mkdir()
    run = Checkout(workspace)
    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    (workspace / ".dvcignore").write_text("/data/raw/ignored.csv\n")
    repo = Repo(str(workspace))
    walked = repo.dvcignore.walk(localfs, str(workspace / files.RAW))
    watched = {
        os.path.relpath(f"{top}/{name}", files.RAW.resolve())
        for top, _, each in walked
        for name in each
    }
    for name in ("plain/a.csv", "git/b.csv", "file.csv"):
        assert name in watched
        assert found(f"data/raw/{name}") == [f"data/raw/{name}"]
    for name in ("dvc/c.csv", "ignored.csv", ".hg/d.csv", "folder/e.csv"):
        assert name not in watched
        refusal(path=f"data/raw/{name}")


# --- what never ends


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_pipes_and_devices_are_refused(workspace: Path, name: str) -> None:
    files.RAW.mkdir(parents=True)
    path = files.RAW / name
    os.mkfifo(path)
    told = f"data/raw/{name}: found a pipe or a device; must be a file; save the table as a file"
    assert refusal(path=str(path)).startswith(told)
    path.unlink()
    path.symlink_to("/dev/zero")
    assert refusal(path=str(path)).startswith(told)

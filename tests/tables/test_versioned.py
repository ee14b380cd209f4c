"""A table is read only where DVC notices its changes; one that nobody keeps is named."""

import os
from pathlib import Path

import pytest
from conftest import Checkout
from own_tables import PAIR, own_job, paths, put, refusal

from pipeline.settings import files
from pipeline.tables import raw_table

NOT_WATCHED = "DVC does not follow: it would not notice when a table in it changes"


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
        assert paths(f"data/raw/{pattern}") == ["data/raw/own.csv"]
        return
    assert refusal(path=f"data/raw/{pattern}") == (
        f"data.source: data/raw/linked is a link to a folder, which {NOT_WATCHED}; copy the tables"
        " here, or link each of them by itself"
    )
    # The cure.
    (files.RAW / "linked").unlink()
    (files.RAW / "linked").mkdir()
    (files.RAW / "linked/t.csv").symlink_to(workspace / "elsewhere/t.csv")
    assert "data/raw/linked/t.csv" in paths(f"data/raw/{pattern}")


def test_a_repository_of_dvcs_in_it_is_refused(workspace: Path) -> None:
    put(PAIR, "theirs/t.csv")
    (files.RAW / "theirs/.git").mkdir()  # git's alone makes no difference to DVC
    assert paths("data/raw/theirs/*.csv") == ["data/raw/theirs/t.csv"]
    (files.RAW / "theirs/.dvc").mkdir()
    assert "data/raw/theirs is a DVC repository of its own" in refusal(path="data/raw/theirs/*.csv")


IGNORED = {
    "*.csv": ["a.csv", "sub/b.csv", "sub/c.csv"],
    "sub/": ["sub/b.csv", "sub/c.csv"],
    "/data/raw/sub\n!/data/raw/sub/b.csv": ["sub/b.csv", "sub/c.csv"],
    "data/raw/*\n!data/raw/sub": ["a.csv"],
    "# a.csv\n/a.csv\nb?.csv\n": [],
}


@pytest.mark.parametrize("lines", IGNORED)
def test_a_file_that_dvcignore_names_is_refused(workspace: Path, lines: str) -> None:
    names = ["a.csv", "sub/b.csv", "sub/c.csv"]
    for name in names:
        put(PAIR, name)
    (workspace / ".dvc").mkdir()
    (workspace / ".dvcignore").write_text(lines)
    for name in names:
        if name in IGNORED[lines]:
            told = refusal(path=f"data/raw/{name}")
            assert told.startswith(f"data.source: data/raw/{name} is ignored by ")
            assert ".dvcignore: DVC would not notice when it changes; remove the line" in told
        else:
            assert paths(f"data/raw/{name}") == [f"data/raw/{name}"]


def test_a_dvcignore_that_is_not_text_is_one_message(workspace: Path) -> None:
    put(PAIR, "a.csv")
    (workspace / ".dvc").mkdir()
    (workspace / ".dvcignore").write_bytes(b"/gr\xf6\xdfe.csv\n")
    told = refusal(path="data/raw/a.csv")
    assert ".dvcignore: not UTF-8 text (invalid start byte at byte 3); save it as UTF-8" in told


def test_dvc_watches_the_files_that_are_read_and_no_refused_one(workspace: Path) -> None:
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
        assert paths(f"data/raw/{name}") == [f"data/raw/{name}"]
    for name in ("dvc/c.csv", "ignored.csv", ".hg/d.csv", "folder/e.csv"):
        assert name not in watched
        refusal(path=f"data/raw/{name}")


def test_a_table_that_nobody_keeps_is_named(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put("x,y\n1,2\n", "small one.csv")
    put("x,y\n" + "1,2\n" * 300_000, "big.csv")
    raw_table.find(own_job("data/raw/*.csv").data)
    assert capfd.readouterr().err == "", "there is no repository here"

    git = Checkout(workspace)
    git("git", "init", "--quiet")
    raw_table.find(own_job("data/raw/small one.csv").data)
    assert capfd.readouterr().err == (
        "warning: data/raw/small one.csv: in no commit and not in DVC, so temporary experiments and"
        " your colleagues will not have it; `git add 'data/raw/small one.csv' && git commit`\n"
    )
    raw_table.find(own_job("data/raw/*.csv").data)
    told = capfd.readouterr().err
    assert told.startswith("warning: data/raw/big.csv and 1 more: in no commit and not in DVC")
    assert told.endswith(
        "`dvc add data/raw/big.csv 'data/raw/small one.csv'`, and commit what it writes\n"
    )

    git("git", "add", "data/raw/small one.csv")
    raw_table.find(own_job("data/raw/small one.csv").data)
    assert "&& git commit`" in capfd.readouterr().err, "`dvc exp run` unstages what is only staged"
    git("git", "commit", "--quiet", "--message=the table")
    raw_table.find(own_job("data/raw/small one.csv").data)
    assert capfd.readouterr().err == ""
    put("outs: []", "big.csv.dvc")
    raw_table.find(own_job("data/raw/*.csv").data)
    assert capfd.readouterr().err.endswith("; `git add data/raw/big.csv.dvc && git commit`\n")
    git("git", "add", "data/raw/big.csv.dvc")
    git("git", "commit", "--quiet", "--message=the stub")
    raw_table.find(own_job("data/raw/*.csv").data)
    assert capfd.readouterr().err == ""

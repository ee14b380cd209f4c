"""Reading the files in commits."""

import pytest
from commits import Repository, nothing, other_md5, replay_all
from commits import repository_fixture as repository_fixture
from conftest import tracked_runs

from pipeline.results import git, lock_file
from pipeline.settings import dvc_md5, files
from pipeline.tracking.tags import COMMIT


@pytest.mark.slow
def test_a_large_file_is_not_read(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git says the size first; a large file is one line, and the other results have their runs."""
    monkeypatch.setattr(git, "LARGEST_BLOB_BYTES", 200_000)
    monkeypatch.setattr(lock_file, "LARGEST_LOCK_BYTES", 100_000)
    locks = [repository.changed(nothing) + "#" * size for size in (0, 100_000)]
    good, large = [repository.commit(lock, "reports", "models", "data") for lock in locks]
    files.HISTORY.write_bytes(b"x" * 300_000)
    lock = repository.changed(other_md5(files.HISTORY, dvc_md5.of(files.HISTORY)))
    long = repository.commit(lock, "reports")
    names = [f"{good}:./dvc.lock", f"{long}:./{files.HISTORY}", "HEAD:./none", "HEAD:./reports"]
    assert list(git.blobs(names, 299_999)) == [locks[0].encode(), 300_000, None, None]
    assert list(git.blobs(names[1:2], 300_000)) == [b"x" * 300_000]
    printed = replay_all()
    assert f"dvc.lock is damaged: it is larger than 100000 bytes:\n  commit {large[:7]}" in printed
    why = f"its '{files.HISTORY}' in git is larger than 200000 bytes"
    assert f"{why}:\n  commit {long[:7]}" in printed
    (run,) = tracked_runs(repository.path)
    assert run.tags[COMMIT] == good

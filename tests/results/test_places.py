"""All places of results, in their order."""

from pathlib import Path

import pytest
from commits import git, lock_text

from pipeline.results import places
from pipeline.results.place import Place


def test_without_git_only_this_folder_has_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workspace))
    assert places.everywhere() == {}
    assert places.at("HEAD") is None


def test_a_result_has_its_commits_experiments_and_folder_in_this_order(workspace: Path) -> None:
    """The run of a result names its first place."""
    git(workspace, "init", "--quiet")
    commits = []
    for lock in (lock_text("first"), lock_text("second"), "# not run to its end\n"):
        Path("dvc.lock").write_text(lock)
        git(workspace, "add", "dvc.lock")
        git(workspace, "commit", "--quiet", "--message=a result")
        commits.append(git(workspace, "rev-parse", "HEAD"))
    first, second, _ = commits
    git(workspace, "update-ref", f"refs/exps/{first[:2]}/{first[2:]}/faster", second)
    Path("dvc.lock").write_text(lock_text("second"))
    one, other = places.everywhere().values()
    assert [each.commit for each in one] == [first]
    assert [str(each) for each in other] == [
        f"commit {second[:7]}",
        "experiment faster",
        "this folder",
    ]
    assert (other[1].baseline, other[1].before) == (first, lock_text("first"))
    assert places.at(second) == Place(other[0].md5, other[0].lock, commit=second)
    assert places.at("HEAD") is None

"""Places of results, and what their commits changed."""

from pathlib import Path
from typing import Any

import pytest
from commits import Repository, git, lock_text
from commits import repository_fixture as repository_fixture

from pipeline.results import places
from pipeline.settings import files, ids


def test_without_git_only_this_folder_has_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(workspace))
    assert places.everywhere() == {}
    assert places.at("HEAD") is None


def test_a_commit_is_named_by_what_it_changed_itself(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dvc.lock may be as old as the first commit: what came between is not the last one's."""
    git(workspace, "init", "--quiet")
    names = {}
    for message, params, text in (
        ("first", {"lr": 0.01, "atol": 1e-6}, "lr: 0.01"),
        ("params only", None, "atol: 0.0"),
        ("lock only", {"lr": 0.01, "atol": 0.0}, None),
        ("both", {"lr": 0.02, "atol": 0.0}, "lr: 0.02"),
    ):
        if params is not None:
            Path("dvc.lock").write_text(lock_text(message, "1", **params))
        if text is not None:
            Path("params.yaml").write_text(text)
        git(workspace, "add", "dvc.lock", "params.yaml")
        git(workspace, "commit", "--quiet", f"--message={message}")
        names[git(workspace, "rev-parse", "HEAD")] = message
    named = {
        names[str(same[0].commit)]: same[0].origin().name.partition(" (")[0]
        for same in places.everywhere().values()
    }
    assert named == {
        "first": "committed params",
        "lock only": "committed params",
        "both": "lr=0.02",
    }


def test_a_lock_that_matches_nothing_takes_no_other_results_values(repository: Repository) -> None:
    """Its params.yaml in git may be that of another result, whose training it would be shown as."""

    def change(stages: dict[str, Any]) -> None:
        for each in stages.values():
            each["params"]["params.yaml"]["train.lr"] = 0.5

    place = places.at(repository.commit(repository.changed(change)))
    assert place is not None
    identity = place.identity()
    assert identity["params"]["train.lr"] == 0.5
    assert identity["training_id"] != ids.trained_by(files.MODEL)

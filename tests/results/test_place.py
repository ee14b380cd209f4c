"""The place of a result gives its identity, its origin and the name of its run."""

from pathlib import Path
from typing import Any

import pytest
from commits import Repository, git, lock_text
from commits import repository_fixture as repository_fixture

from pipeline.results import place, places
from pipeline.results.place import Place
from pipeline.settings import files, ids
from pipeline.settings.errors import UserError


def test_a_commit_is_named_by_what_it_changed_itself(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dvc.lock may be as old as the first commit: later changes are other commits'."""
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
    """Its params.yaml in git may be another result's, whose training_id it would get."""

    def change(stages: dict[str, Any]) -> None:
        for each in stages.values():
            each["params"]["params.yaml"]["train.lr"] = 0.5

    place = places.at(repository.commit(repository.changed(change)))
    assert place is not None
    identity = place.identity()
    assert identity["params"]["train.lr"] == 0.5
    assert identity["training_id"] != ids.trained_by(files.MODEL).id


def test_changes_are_parameters_that_the_lock_before_had_with_another_value() -> None:
    now = lock_text("code", lr=0.02, seed=0, patience=None)
    assert Place("0" * 32, now, lock_text("code", lr=0.01, seed=0)).changes() == {"lr": 0.02}
    assert Place("0" * 32, now).changes() == {}
    assert Place("0" * 32, now, "stages: [").changes() == {}, "a damaged one is no comparison"


def test_a_path_that_leads_out_of_the_folder_is_not_read(tmp_path: Path) -> None:
    here = Place("0" * 32, folder=tmp_path)
    (tmp_path / "a").write_bytes(b"ab\xff")
    assert here.read(Path("a")) == place.lossy_text(tmp_path / "a") == "ab\ufffd"
    assert here.read(Path("gone")) is None
    with pytest.raises(UserError, match="names the file '../a'"):
        here.read(Path("../a"))

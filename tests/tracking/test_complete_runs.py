"""Complete runs are looked up by their result; changes that a person made are noticed."""

from argparse import Namespace
from pathlib import Path
from typing import Any, cast

import pytest
from mlflow.entities import Run

from pipeline.tracking import complete_runs, tags
from pipeline.tracking.complete_runs import CompleteRun
from pipeline.tracking.store import open_store


def with_tags(values: dict[str, str], status: str = "FINISHED") -> Run:
    """Return a run as MLflow gives it, reduced to what complete_runs reads."""
    info = Namespace(status=status, lifecycle_stage="active")
    return cast(Run, Namespace(info=info, data=Namespace(tags=values)))


def test_the_run_that_shows_a_result_is_the_one_that_is_not_deleted(store_folder: Path) -> None:
    """A deleted run counts only alone: it would come back otherwise."""
    opened = open_store("abline")
    client = opened.client

    def run(result: str, **other: str) -> str:
        values = {tags.RESULT_ID: "0" * 32, tags.RESULT: result, **other}
        info = client.create_run(opened.experiment_id, tags=values).info
        (store_folder / "mlartifacts/runs" / info.run_id / "artifacts").mkdir(parents=True)
        return str(info.run_id)

    deleted, kept, alone = run("a"), run("a"), run("b")
    run("a", **{tags.SUPERSEDED_BY: kept})
    client.create_run(opened.experiment_id, tags={tags.RESULT_ID: "0" * 32, tags.RESULT: "c"})
    client.create_run(opened.experiment_id, tags={tags.RESULT: "d"})
    for run_id in (deleted, alone):
        client.delete_run(run_id)
    by_result = complete_runs.by_result(opened)
    assert {md5: each.run.info.run_id for md5, each in by_result.items()} == {"a": kept, "b": alone}
    assert [by_result[md5].is_deleted for md5 in "ab"] == [False, True]


@pytest.mark.parametrize(
    ("values", "status", "is_edited"),
    [
        ({"training_id": "0" * 32, "result_id": "1" * 32}, "FINISHED", False),
        ({"training_id": "0" * 32, "result_id": "1" * 32}, "FAILED", True),
        ({"training_id": "0" * 32, "result_id": "mine"}, "FINISHED", True),
        ({"result_id": "1" * 32}, "FINISHED", True),
    ],
)
def test_a_run_that_a_person_has_edited_is_known(
    values: dict[str, str], status: str, is_edited: bool
) -> None:
    experiment: Any = Namespace(lifecycle_stage="active")
    assert CompleteRun(with_tags(values, status), experiment).is_edited is is_edited


def test_the_outputs_of_older_runs_are_read_too() -> None:
    outs = {"models/größe": "0" * 32}
    assert complete_runs.out_md5s(with_tags(complete_runs.outs_tag(outs))) == outs
    older = {"md5 models/a": "0" * 32, tags.RESULT: "1" * 32, "other": "x"}
    assert complete_runs.out_md5s(with_tags(older)) == {"models/a": "0" * 32}
    assert complete_runs.out_md5s(with_tags({tags.OUTS: "["})) == {}


def test_a_folder_of_artifacts_is_gone_only_on_this_machine(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    assert complete_runs.has_artifacts((tmp_path / "a b").as_uri())
    assert not complete_runs.has_artifacts((tmp_path / "gone").as_uri())
    assert complete_runs.has_artifacts("mlflow-artifacts:/1/2/artifacts")

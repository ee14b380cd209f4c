"""The lines about a result: its run, its commits, and the commands that bring it back."""

from types import SimpleNamespace as Namespace
from typing import Any, cast

from commits import lock_text
from mlflow.entities import Run

from pipeline.results.place import Place
from pipeline.tracking import lineage
from pipeline.tracking.lineage import Match


def a_run(name: str = "a run", **tags: str) -> Run:
    """Return a run as MLflow gives it, reduced to what lineage reads."""
    info = {"run_name": name, "run_id": "9" * 32, "status": "FINISHED", "lifecycle_stage": "active"}
    run: Any = Namespace(info=Namespace(**info), data=Namespace(tags=tags, params={}))
    return cast(Run, run)


def test_the_commit_that_the_run_names_is_first_and_a_long_list_is_cut() -> None:
    lock = lock_text("code", lr=0.01)
    same = [Place("0" * 32, lock, commit=f"{number:040x}") for number in range(12)]
    same[5] = Place("0" * 32, lock, commit="b" * 40)
    lines = lineage.as_text(Match(a_run("lr=0.01 (bbbbbbb)"), same)).splitlines()
    start = lines.index(f"commit       {'b' * 40}")
    assert lines[start + 1] == f"the same in  {0:040x}"
    assert lines[start + 1 + lineage.MOST_COMMITS_SHOWN] == "             and 3 more"
    assert f"again        git checkout {'b' * 12}" in lines
    assert "params       lr=0.01" in lines


def test_an_experiment_comes_back_with_one_command() -> None:
    """To check out its commit and to repeat it takes longer, and leaves the branch."""
    lock = lock_text("code", lr=0.01)
    committed = Place("0" * 32, lock, commit="a" * 40)
    for name, command in (("faster", "faster"), ("$(evil)", "'$(evil)'")):
        experiment = Place("0" * 32, lock, commit="b" * 40, experiment=name)
        lines = lineage.as_text(Match(None, [experiment])).splitlines()
        start = lines.index(f"restore      dvc exp apply {command}")
        assert lines[start + 1 :] == [
            f"again        git checkout {'b' * 12}",
            f"{'':<12} dvc repro",
        ]
        asked = lineage.as_text(Match(None, [experiment, committed], committed.commit))
        assert "exp apply" not in asked, "the commit was asked for"


def test_a_run_without_a_result_leads_to_its_commit_and_its_changes() -> None:
    tags = {"mlflow.source.git.commit": "c" * 40, "git.changed_files": "params.yaml, a.py"}
    text = lineage.as_text(Match(a_run(**tags), []))
    assert f"commit       {'c' * 40}, and changes in params.yaml, a.py\n" in text
    assert f"git checkout {'c' * 12}\n" in text
    assert "(but a.py had changes that no commit has)" in text


def test_text_of_a_store_is_no_command() -> None:
    """Text of a stranger's run would be pasted into a shell."""
    tags = {"mlflow.source.git.commit": "$(evil)"}
    assert "again" not in lineage.as_text(Match(a_run(**tags), []))

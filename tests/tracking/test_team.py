"""Results of a team: every clone shows them, names their commits and looks them up."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Checkout, Clone
from stage_runs import is_complete

from pipeline.settings import dvc_md5, files
from pipeline.tracking.tags import CHANGED, COMMIT


def experiments(checkout: Checkout) -> None:
    checkout("dvc", "exp", "run", "--name", "faster", "-S", "train.lr=0.02")
    checkout("git", "checkout", ".")
    checkout("dvc", "exp", "run", "--name", "other-query", "-S", "evaluate.queries=[[5.0]]")
    checkout("git", "checkout", ".")
    checkout("dvc", "repro")


@pytest.fixture
def team(clone: Clone, tmp_path: Path) -> Checkout:
    """Return a clone with a remote, two experiments, and a commit of another result."""
    checkout = clone("team")
    # Before the experiments: DVC takes the remote of the commit that they start from.
    checkout("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    checkout("git", "commit", "--quiet", "--all", "--message=a remote")
    checkout("dvc", "repro")
    experiments(checkout)
    text = (checkout.path / "params.yaml").read_text()
    (checkout.path / "params.yaml").write_text(text.replace("epochs: 100\n", "epochs: 150\n"))
    checkout("dvc", "repro")
    checkout("git", "commit", "--quiet", "--all", "--message=longer")
    return checkout


@pytest.mark.slow
def test_a_fresh_clone_shows_what_the_team_has_tried(team: Checkout, tmp_path: Path) -> None:
    """After the advised commands, without training; a second time nothing is done."""
    team("dvc", "push", "--all-commits")
    team("dvc", "exp", "push", "origin", "faster", "other-query")
    team("git", "push", "--quiet", "origin", "HEAD:refs/heads/longer")
    origin = team("git", "remote", "get-url", "origin").strip()
    fresh = Checkout(tmp_path / "fresh")
    subprocess.run(["git", "clone", "--quiet", "--branch=longer", origin, fresh.path], check=True)
    printed = fresh("python", "-m", "pipeline.track", "--all")
    assert "`dvc fetch --all-commits` may bring them" in printed, "the cache is empty yet"
    bare = fresh.runs()
    assert all(run.losses() for run in bare)
    assert not any(run.models for run in bare)
    fresh("dvc", "exp", "pull", "--no-cache", "origin", "faster", "other-query")
    printed += fresh("python", "-m", "pipeline.track", "--all")
    advised = set(re.findall(r"`(dvc [^`]*)`", printed))
    assert advised == {"dvc fetch --all-commits", "dvc exp pull origin faster other-query"}
    for command in advised:
        fresh(*command.split())
    printed = fresh("python", "-m", "pipeline.track", "--all")
    assert "fetch" not in printed, printed
    runs = fresh.runs()
    assert {run.tags["dvc.experiment"] for run in runs if "dvc.experiment" in run.tags} == {
        "faster",
        "other-query",
    }
    assert [is_complete(run, int(run.params["train.epochs"])) for run in runs] == [True] * 4
    ours = {run.tags["result_id"]: run for run in team.runs()}
    for run in runs:
        mine = ours[run.tags["result_id"]]
        assert run.losses() == mine.losses()
        assert run.metrics == mine.metrics
        assert run.params == mine.params
        assert run.model_file() == mine.model_file()
        assert run.artifact("reports/plots/fit.svg") == mine.artifact("reports/plots/fit.svg")
    assert any(run.name.startswith("train.lr=0.02 (faster)") for run in runs)
    assert any(run.name.startswith("train.epochs=150 (") for run in runs)
    assert fresh("python", "-m", "pipeline.track", "--all") == "4 results had a run already\n"
    assert [run.id for run in fresh.runs()] == [run.id for run in runs]


@pytest.mark.slow
def test_a_commit_is_named_once_there_is_one(team: Checkout) -> None:
    """A run is made before its result is committed; its commit is then the result's."""
    head = team("git", "rev-parse", "HEAD").strip()
    run = next(run for run in team.runs() if run.params["train.epochs"] == "150")
    assert run.tags[COMMIT] != head
    team("python", "-m", "pipeline.track", "--all")
    run = next(run for run in team.runs() if run.params["train.epochs"] == "150")
    assert run.tags[COMMIT] == head
    assert run.tags[CHANGED] == "none"
    experiment = next(run for run in team.runs() if run.params["train.lr"] == "0.02")
    code = team("git", "rev-parse", experiment.tags[COMMIT]).strip()
    assert team("git", "show", f"{code}:params.yaml").count("lr: 0.02") == 1
    assert len(team.runs()) == 4


@pytest.mark.slow
def test_a_result_is_found_from_any_end_of_it(team: Checkout) -> None:
    team("python", "-m", "pipeline.track", "--all")
    run = next(run for run in team.runs() if run.params["train.lr"] == "0.02")
    commit = run.tags[COMMIT]
    # The file alone, somewhere else, under another name.
    (team.path / "elsewhere.onnx").write_bytes(run.model_file())
    answers = [
        team("python", "-m", "pipeline.track", "--find", what)
        for what in (run.id, run.name, "faster", commit, commit[:9], "elsewhere.onnx")
    ]
    assert len(set(answers)) == 1, answers
    for part in (
        run.id,
        "faster, based on ",
        "dvc exp apply faster\n",
        commit,
        f"data/train.parquet, md5 {run.md5s()['data/train.parquet']}",
        f"models/model.onnx, md5 {run.md5s()['models/model.onnx']}",
        "train.lr=0.02\n",
        f"git checkout {commit[:12]}\n",
    ):
        assert part in answers[0], part
    # And the commands do what they say.
    (team.path / "elsewhere.onnx").unlink()
    team("git", "checkout", "--quiet", commit[:12])
    team("dvc", "repro", "--force")
    assert dvc_md5.of(team.path / files.ONNX) == run.md5s()["models/model.onnx"]
    assert team.status() == ""


@pytest.mark.slow
def test_a_lost_store_comes_back(team: Checkout) -> None:
    before = {run.tags["result_id"] for run in team.runs()}
    (team.path / "mlflow.db").unlink()
    shutil.rmtree(team.path / "mlartifacts")
    team("python", "-m", "pipeline.track", "--all")
    runs = team.runs()
    assert {run.tags["result_id"] for run in runs} == before
    assert all(is_complete(run, int(run.params["train.epochs"])) for run in runs)

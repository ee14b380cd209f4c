"""A stage starts in the right environment, and says how to get the last result back if it fails."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Checkout, environment, job_text
from programs import ended, started

from pipeline.settings import runner
from pipeline.settings.environment import PORTABLE


@pytest.fixture
def repository(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository in which DVC runs a stage."""
    monkeypatch.setenv("DVC_STAGE", "train")
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    for command in ("init --quiet", "commit --quiet --allow-empty --message=empty"):
        subprocess.run(["git", *command.split()], check=True, env=environment())
    return workspace


def test_an_experiment_is_offered_only_if_there_is_one(repository: Path) -> None:
    assert runner._way_back() == "\nto go back instead: undo your change, then `dvc repro`"
    subprocess.run(["git", "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD"], check=True)
    assert "dvc exp apply" not in runner._way_back()
    name = f"refs/exps/ab/{'0' * 38}/größe".encode("latin-1")  # which is not UTF-8
    subprocess.run(["git", "update-ref", name, "HEAD"], check=True)
    assert runner._way_back() == (
        "\nto go back instead: `dvc exp apply NAME` (`dvc exp list -A` has the names), or undo your"
        " change, then `dvc repro`"
    )


def test_there_is_nothing_to_go_back_to_outside_of_the_repository(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary experiment of DVC's runs elsewhere; a person starts a stage without DVC."""
    (repository / "temporary").mkdir()
    monkeypatch.chdir(repository / "temporary")
    assert runner._way_back() == ""
    monkeypatch.chdir(repository)
    monkeypatch.delenv("DVC_STAGE")
    assert runner._way_back() == ""


@pytest.mark.parametrize("portable", [True, False])
def test_a_stage_computes_with_the_kernels_that_train_portable_asks_for(
    workspace: Path, portable: bool
) -> None:
    """A change of runner.py runs no stage again: so this holds that it prepares the environment."""
    Path("params.yaml").write_text(job_text(train__portable=portable))
    names = list(PORTABLE)
    process = started(
        f"import os\nrunner.run(lambda _: print([os.environ.get(name) for name in {names}]))",
        **dict.fromkeys(names, "as it was"),
    )
    values = list(PORTABLE.values()) if portable else ["as it was"] * len(names)
    assert ended(process) == (0, f"{values}\n", "")


def test_a_notebook_does_not_choose_how_to_draw(workspace: Path) -> None:
    """Its terminals inherit its backend, which Matplotlib refuses outside of it."""
    inline = "module://matplotlib_inline.backend_inline"
    process = started("import pipeline.pictures.plots\nprint('drawn')", MPLBACKEND=inline)
    assert ended(process) == (0, "drawn\n", "")


def test_a_notebook_that_imports_the_code_draws_as_before() -> None:
    code = "import os, pipeline; print(os.environ['MPLBACKEND'])"
    inline = "module://matplotlib_inline.backend_inline"
    told = subprocess.check_output(
        [sys.executable, "-c", code], env=environment(MPLBACKEND=inline), cwd=ROOT, text=True
    )
    assert told.strip() == inline


def test_another_copy_of_the_code_is_refused(workspace: Path) -> None:
    """Python would take the one that is installed, and say nothing."""
    checkout = Checkout(workspace, PYTHONSAFEPATH="1")
    told = checkout("python", "-m", "pipeline.check", ok=False)
    assert re.match(
        r"error: Python would run \S+, another copy than the `pipeline` of this f", told
    )
    assert told.count("\n") == 1
    # In a folder without one there is no doubt.
    Path("elsewhere").mkdir()
    checkout.path = workspace / "elsewhere"
    assert "no such file" in checkout("python", "-m", "pipeline.check", ok=False)

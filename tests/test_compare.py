"""`python -m pipeline.compare` prints a comparison, and changes nothing in the folder."""

import os
import subprocess
import sys

import pytest
from compared import Results
from compared import results_fixture as results_fixture
from conftest import ROOT, environment

from pipeline.settings import files

ENVIRONMENT = environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "clients/python")]))


def compare(*arguments: str, status: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.compare", *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


@pytest.mark.slow
def test_the_command_line(results: Results) -> None:
    poor = results.committed(data__features=["number"])
    good = results.committed(data__features=["area"])
    results.in_folder(data__features=["area", "number"])
    before = results.repository.git("status", "--porcelain")

    with_head = compare()
    assert with_head.startswith(f"A  commit {good[:7]} (HEAD)\nB  this folder\n")
    assert "It may be noise: on the same" in with_head
    assert "only the" not in with_head
    assert compare(poor[:9]).startswith(f"A  commit {poor[:7]}\nB  this folder\n")

    three = compare(poor, "HEAD", "workspace", "--markdown")
    assert three.count(f"A  commit {poor[:7]}\n") == 2
    assert three.count("\nB is better") == three.count("Cross-validation. B is better") == 2
    page = files.COMPARISON.read_text()
    assert page.startswith("# Comparison\n")
    assert page.count("**B is better") == page.count("Cross-validation. B is better") == 2
    files.COMPARISON.unlink()
    assert results.repository.git("status", "--porcelain") == before

    same = compare("HEAD", good, status=1)
    assert same.startswith(f"error: commit {good[:7]} (HEAD) and commit {good[:7]} have the same")
    assert same.endswith(f"python -m pipeline.compare {poor[:7]}\n")
    assert compare("HAED", status=1).startswith("error: HAED: found no run of this id or name")


def test_a_folder_without_a_result(results: Results) -> None:
    results.committed()
    assert compare(status=1) == "error: this folder has no result: `dvc repro` makes it\n"

"""Origin of a result: differences from the commit, and the name of its run."""

from pathlib import Path
from typing import Any

import pytest
from commits import git
from conftest import job, job_text

from pipeline.results import provenance


def test_a_subfolder_of_a_repository_names_its_own_changes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git's paths start at its top folder, where other projects may change, too."""
    project = workspace / "projects/abline"
    project.mkdir(parents=True)
    for name in ("dvc.yaml", "params.yaml", "requirements.txt", "pipeline", "modules"):
        (workspace / name).rename(project / name)
    (workspace / "another project.txt").write_text("1")
    git(workspace, "init", "--quiet")
    git(workspace, "add", "--all")
    git(workspace, "commit", "--quiet", "--message=both")
    monkeypatch.chdir(project)
    (workspace / "another project.txt").write_text("2")
    Path("params.yaml").write_text(job_text(train__lr=0.02))
    Path("dvc.lock").write_text("")
    assert provenance.changed_files() == ["params.yaml"]
    assert not provenance.Origin.here(job(train__lr=0.02)).name.endswith("+ changes)")
    seldom = job(train__lr=0.02, train__checkpoint_seconds=5)
    assert provenance.changed_params(seldom) == {"train.lr": 0.02}, "no stage reads the other one"
    (project / "pipeline/learning/module.py").write_text("")
    assert provenance.changed_files() == ["params.yaml", "pipeline/learning/module.py"]


@pytest.mark.parametrize(
    ("changed", "data", "changed_files", "name"),
    [
        (None, False, "", "params not in git"),
        (None, False, "a.py", "params not in git"),
        ({}, False, "", "committed params"),
        ({}, False, "params.yaml", "committed params"),
        ({}, True, "data/raw/t.csv", "other data"),
        ({"train.lr": 0.02, "seed": 1}, True, "a.py", "seed=1, other data, train.lr=0.02"),
        (
            {},
            False,
            "params.yaml pipeline/learning/module.py",
            "pipeline/learning/module.py changed",
        ),
        (
            {
                "data.source": "data/raw/flats.csv",
                "data.features": {
                    "area": "number",
                    "heating": {"kind": "category", "min_count": 3},
                },
                "data.targets": ["price"],
                "train.optimizer": "exact",
                "evaluate.queries": [{"area": 50, "heating": "gas", "sold": "2024-01-10"}],
            },
            True,
            "",
            'other data, train.optimizer=exact, data.targets=["price"], evaluate.queries (1 row)'
            " and 2 more",
        ),
        ({"data.source": "é" * 200}, False, "", f"data.source={'é' * 107}…"),
        ({}, False, "a.py b.py", "a.py, b.py changed"),
        ({}, False, "a.py b.py c.py d.py", "a.py, b.py and 2 more changed"),
    ],
)
def test_a_name_says_what_was_varied(
    changed: dict[str, Any] | None, data: bool, changed_files: str, name: str
) -> None:
    assert provenance.differences(changed, data, changed_files.split()) == name


def test_only_files_that_a_stage_depends_on_are_named(workspace: Path) -> None:
    paths = ["Notes.txt", "README.md", "pipeline/learning/module.py"]
    assert provenance._read_by_stages(paths) == ["pipeline/learning/module.py"]

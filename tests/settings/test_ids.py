"""An id says the same as DVC: what makes another result, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy

import pytest
import yaml
from conftest import ROOT
from dvc.repo import Repo

from pipeline.settings import declared, dvc_md5, ids


@pytest.fixture
def dvc(workspace: Path) -> Iterator[Repo]:
    """A repository of DVC's in which `train` is up to date, beside files that never count."""
    copy(ROOT / ".dvcignore", workspace)
    for name in ("__pycache__/model.cpython-311.pyc", "model.py~", ".model.py.swp", "#model.py#"):
        Path("pipeline/learning", name).parent.mkdir(exist_ok=True)
        Path("pipeline/learning", name).write_text("no code")
    Path("pipeline/learning/.#model.py").symlink_to("a person@a machine.1234")
    Path("pipeline/learning/.ipynb_checkpoints").mkdir()
    Path("pipeline/learning/.ipynb_checkpoints/model-checkpoint.py").write_text("")
    train = declared.stages()["train"]
    for path in map(Path, train["outs"] + [dep for dep in train["deps"] if dep[:4] == "data"]):
        path.parent.mkdir(exist_ok=True)
        path.write_text(path.name)
    repo = Repo.init(no_scm=True)
    repo.commit("train", force=True)
    yield repo
    repo.close()


def edit(path: Path) -> None:
    path.write_text(path.read_text().replace('"""', '"""In other words. ', 1))


def test_other_words_about_mlflow_make_no_other_training(dvc: Repo) -> None:
    assert dvc.status("train") == {}
    room = "pipeline/tracking"
    for path in (*Path(room).glob("*.py"), Path("pipeline/settings/messages.py")):
        edit(path)
    Path("pipeline/learning/model.py~").write_text("an editor's copy")
    assert dvc.status("train") == {}
    edit(min(Path("pipeline/learning").glob("[a-z]*.py")))
    assert dvc.status("train") == {"train": [{"changed deps": {"pipeline/learning": "modified"}}]}


def test_an_md5_is_the_one_that_dvc_records(dvc: Repo) -> None:
    train = yaml.safe_load(Path("dvc.lock").read_text())["stages"]["train"]
    recorded = {entry["path"]: entry["md5"] for entry in train["deps"] + train["outs"]}
    assert ids.md5s(list(recorded)) == recorded
    folders = {entry["path"]: entry["nfiles"] for entry in train["deps"] if "nfiles" in entry}
    assert "pipeline/learning" in folders
    assert {path: len(list(dvc_md5.files(path))) for path in folders} == folders

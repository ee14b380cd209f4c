"""dvc.yaml tells the truth: what a stage depends on is what it imports and reads."""

import ast
import importlib.metadata
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import wiring
import yaml
from conftest import ROOT, job
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline import evaluate, export, generate, train
from pipeline.settings import environment, files, ids
from pipeline.settings.keys.section import Section
from pipeline.settings.params import flatten

STAGES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


def test_a_stage_runs_again_when_code_that_it_imports_changes() -> None:
    text = (ROOT / "dvc.yaml").read_text()
    assert text == wiring.wired(text), "`make wiring` writes the code that the stages depend on"
    assert len(text.splitlines()) < 200


def test_a_training_depends_on_what_can_change_its_numbers_or_its_id_alone() -> None:
    """Else the wording of a message would make another training of it.

    ids and dvc_md5 make the training_id in the weights' file: the result is looked up by it.
    """
    # Not data/sample.parquet, which only pictures and trial rows come from.
    data = {dep for dep in STAGES["train"]["deps"] if dep.startswith("data/")}
    assert data == set(map(str, (files.COLUMNS, files.SUMMARY, files.TRAIN, files.TEST)))
    assert wiring.code("train") == [
        "pipeline/columns",
        "pipeline/exact",
        "pipeline/learning",
        "pipeline/settings/csv_cells.py",
        "pipeline/settings/dvc_md5.py",
        "pipeline/settings/environment.py",
        "pipeline/settings/files.py",
        "pipeline/settings/ids.py",
        "pipeline/settings/keys",
        "pipeline/settings/seeds.py",
        "pipeline/settings/yaml_file.py",
        "pipeline/tables",
        "pipeline/train.py",
    ]


FROM_TRACKING = {
    "train": {"pipeline.tracking.live.live_run", "pipeline.tracking.wire.milliseconds"}
}
"""All that a stage other than track takes from tracking: the run, and the time of a loss in it."""


@pytest.mark.parametrize("name", sorted(set(STAGES) - {"track"}))
def test_what_a_stage_writes_is_not_made_by_tracking(name: str) -> None:
    """No stage but track runs again when tracking changes."""
    names = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse((ROOT / f"pipeline/{name}.py").read_text()))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    used = {each for each in names if each.startswith("pipeline.tracking")}
    assert used == FROM_TRACKING.get(name, set())


def test_an_init_file_is_no_code_of_a_stage() -> None:
    """The init files of pipeline and settings are in no stage's dependencies."""
    for path in (ROOT / "pipeline").glob("*/__init__.py"):
        assert [type(node) for node in ast.parse(path.read_text()).body] == [ast.Expr], path
    tree = ast.parse((ROOT / "pipeline/__init__.py").read_text())
    variables = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and re.fullmatch("[A-Z]+(_[A-Z]+)*", str(node.value))
    }
    # The plots do not depend on MPLBACKEND: figure.py draws on a canvas of its own.
    assert {name for name in variables if not str(name).startswith("MLFLOW_")} == {"MPLBACKEND"}


def test_a_relative_import_cannot_hide_a_dependency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "module.py"
    module.write_text("from . import other\n")
    with pytest.raises(AssertionError, match="relative import"):
        wiring.imported(module, (), set())


@pytest.mark.parametrize("room", ["onnx_model", "report"])
def test_the_words_of_messages_are_in_no_output(room: str) -> None:
    """A change of messages.py runs no stage again. The modules below print or refuse alone."""
    users = {
        path.stem
        for path in (ROOT / "pipeline" / room).glob("*.py")
        if "settings.messages" in path.read_text() or "import messages" in path.read_text()
    }
    programs = {"answer_file", "answered_rows", "answers", "rows_to_answer", "summary"}
    assert users <= programs | {"common_scale", "comparison", "row_errors"}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_again_when_the_environment_changes(name: str) -> None:
    assert str(environment.REQUIREMENTS) in STAGES[name]["deps"]


class Recorder:
    """Params that take note of each value that is read."""

    def __init__(self, section: Section, read: set[str], prefix: str = "") -> None:
        self._section, self._read, self._prefix = section, read, prefix

    def __getattr__(self, name: str) -> Any:
        if isinstance(computed := getattr(type(self._section), name, None), property):
            assert computed.fget is not None
            return computed.fget(self)
        value = getattr(self._section, name)
        if isinstance(value, Section) and not value.one_key:
            return Recorder(value, self._read, f"{self._prefix}{name}.")
        self._read.add(self._prefix + name)
        return value


def test_a_stage_runs_again_when_a_parameter_it_reads_changes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = job()
    # What is logged of the parameters is asked for by dvc.yaml itself, so it may read them all.
    monkeypatch.setattr(
        ids,
        "stage_params",
        lambda name, _: {
            "data.source": name,
            "data.keep_rows": True,
            "data.test_fraction": 0.0,
            "data.folds": 5,
            "seed": 0,
            "train.reduction": "",
        },
    )
    monkeypatch.setattr(train, "live_run", MagicMock())
    for module in (generate, train, evaluate, export):
        name = module.__name__.removeprefix("pipeline.")
        read: set[str] = set()
        module.main(Recorder(settings, read))
        read = {key for key in read if is_of_the_result(key)}
        assert read <= set(STAGES[name]["params"]), name


def is_of_the_result(key: str) -> bool:
    return not key.startswith("tracking.") and key != "train.checkpoint_seconds"


def test_every_parameter_but_tracking_is_part_of_the_result() -> None:
    keys = {key for key in flatten(job()) if is_of_the_result(key)}
    assert set(STAGES["track"]["params"]) == keys
    assert {key for name in STAGES if name != "track" for key in STAGES[name]["params"]} == keys


def outs(name: str) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for out in STAGES[name].get(kind, ()):
            yield out if isinstance(out, str) else next(iter(out))


def test_no_stage_reads_what_a_later_one_writes() -> None:
    written: set[str] = set()
    later = {out for name in STAGES for out in outs(name)}
    for name, stage_ in STAGES.items():
        written_before = set(written)
        written |= set(outs(name))
        assert not (set(stage_["deps"]) & later) - written_before, name


def test_run_json_is_made_from_every_output() -> None:
    seen = set(STAGES["track"]["deps"])
    assert {out for name in STAGES if name != "track" for out in outs(name)} <= seen


def test_requirements_pin_every_package_that_is_needed() -> None:
    """Any other package would be the newest on the day of the installation."""
    lines = environment.REQUIREMENTS.read_text().splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    todo = [Requirement(text) for text in project["dependencies"]]
    needed: set[str] = set()
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        extras = wanted.extras or {""}
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        if {f"{name}[{extra}]" for extra in extras} <= needed:
            continue
        needed |= {f"{name}[{extra}]" for extra in extras} | {name}
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if not requirement.marker or any(
                requirement.marker.evaluate({"extra": e}) for e in extras
            ):
                requirement.marker = None
                todo.append(requirement)
    assert {name for name in needed if "[" not in name} <= pinned

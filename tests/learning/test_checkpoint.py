"""A training that is killed resumes from its checkpoint, and ends with the same bytes."""

import hashlib
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import job
from noisy_line import SIXTY_ROWS
from own_modules import Build, dropping, normed, use

from pipeline import generate
from pipeline.learning import checkpoint, training
from pipeline.learning.checkpoint import Checkpoint
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables.table import Table, read

JOBS: dict[str, dict[str, Any]] = {
    "momentum": {"train__momentum": 0.9, "train__nesterov": True, "train__lr": 1e-4},
    "adam": {"train__optimizer": "adam"},
    "portable": {"train__optimizer": "adam", "train__portable": True},
    "lbfgs": {"train__optimizer": "lbfgs", "train__lr": 1e-3},
    "batches": {"train__batch_size": 7, "train__momentum": 0.5, "train__lr": 1e-3},
    "patience": {"train__patience": 6, "data__test_fraction": 0.3, "train__lr": 3e-3},
    "standardize": {"model__standardize": True, "train__batch_size": 16, "train__lr": 1e-3},
    "reduced": {
        "train__reduce_rows": True,
        "train__momentum": 0.9,
        "model__standardize": True,
        "train__patience": 9,
        "data__test_fraction": 0.3,
        "train__lr": 1e-3,
    },
    "another loss": {
        "train__loss": "huber",
        "train__batch_size": 16,
        "train__patience": 9,
        "data__test_fraction": 0.3,
        "train__lr": 1e-3,
    },
    "float64": {"train__dtype": "float64", "train__optimizer": "adam"},
    "network": {
        "model__hidden": [8, 4],
        "model__dropout": 0.2,
        "model__standardize": True,
        "train__optimizer": "adam",
        "train__batch_size": 16,
        "train__patience": 9,
        "data__test_fraction": 0.3,
    },
}


class KilledError(Exception):
    """Stands for SIGKILL in one process."""


def small(**changes: Any) -> Params:
    return job(**SIXTY_ROWS | {"train__epochs": 40, "train__lr": 0.01} | changes)


def tables(params: Params) -> tuple[Table, Table]:
    generate.main(params)
    return read(files.TRAIN), read(files.TEST)


def fitted(params: Params, checkpoint: Checkpoint, die_after: int | None = None) -> Any:
    """The parameters of the fitted module, their losses and what the epochs told."""
    told = []

    def tell(epoch: int, loss: float, held_out: float | None) -> None:
        checkpoint.times.append(1000 + epoch)
        told.append((epoch, loss, held_out))
        if epoch == die_after:
            raise KilledError

    module, history = training.train(params, *tables(params), tell, checkpoint)
    state = {name: value.numpy().tobytes() for name, value in module.state_dict().items()}
    return state, history, told


def killed(params: Params, epoch: int, seconds: float | None = 0) -> None:
    with pytest.raises(KilledError):
        fitted(params, Checkpoint("id", seconds), epoch)


@pytest.mark.parametrize("name", JOBS)
def test_it_ends_with_the_same_bits(workspace: Path, name: str) -> None:
    params = small(**JOBS[name])
    state, history, _ = fitted(params, Checkpoint("whole", None))
    assert len(history) > 12, "there is time to be killed"
    for epoch in (1, 2, 7, 12):
        killed(params, epoch)
    again = Checkpoint("id", 0)
    resumed, losses, told = fitted(params, again)
    assert resumed == state
    assert losses == history
    assert told[0][0] == 12, "what came before is not trained again"
    assert again.times == [1000 + epoch for epoch in range(1, len(history) + 1)]


@pytest.mark.parametrize("build", [pytest.param(normed, marks=pytest.mark.slow), dropping])
def test_a_module_that_is_not_linear_ends_with_the_same_bits(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    """Batch norm has statistics, and dropout draws random numbers: both are in the checkpoint."""
    use(monkeypatch, build)
    params = small(
        data__test_fraction=0.2,
        model__standardize=True,
        train__batch_size=16,
        train__optimizer="adam",
        train__patience=9,
    )
    whole = fitted(params, Checkpoint("whole", None))
    for epoch in (2, 7):
        killed(params, epoch)
    assert fitted(params, Checkpoint("id", 0))[:2] == whole[:2]


def damage_cut(content: bytes) -> bytes:
    return content[:-5]


def damage_bit(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize("damage", [damage_cut, damage_bit, lambda _: b""])
def test_a_damaged_one_is_put_aside(
    workspace: Path, capsys: pytest.CaptureFixture[str], damage: Callable[[bytes], bytes]
) -> None:
    params = small()
    killed(params, 5)
    path = Checkpoint("id", 0).path
    path.write_bytes(damage(path.read_bytes()))
    damaged = Checkpoint("id", None)
    assert damaged.state is None
    told = capsys.readouterr().err
    assert told.startswith("warning: the checkpoint of this training is damaged (")
    assert not path.exists()
    assert path.with_suffix(".damaged").exists()
    assert fitted(params, damaged)[2][0][0] == 1


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_no_code_in_a_checkpoint_runs(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    killed(small(), 5)
    path = Checkpoint("id", 0).path
    content = io.BytesIO()
    torch.save({"training_id": "id", "times": torch.zeros(0), "state": Trap(Path("trap"))}, content)
    path.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())
    assert Checkpoint("id", 0).state is None
    assert "the checkpoint of this training is damaged" in capsys.readouterr().err
    assert not Path("trap").exists()


def test_one_of_the_former_format_is_not_looked_at(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    former = Checkpoint("id", 0).path.with_suffix(".safetensors")
    former.parent.mkdir(parents=True)
    former.write_bytes(b"a digest and safetensors")
    assert Checkpoint("id", 0).state is None
    assert capsys.readouterr().err == ""


def test_one_of_other_inputs_is_never_used(workspace: Path) -> None:
    killed(small(), 5)
    path = Checkpoint("id", 0).path
    assert Checkpoint("other", 0).state is None
    path.rename(Checkpoint("other", 0).path)
    assert Checkpoint("other", 0).state is None


def test_one_that_cannot_be_written_stops_nothing(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = Checkpoint("id", 0).path.parent
    place.parent.mkdir(parents=True)
    place.write_text("a file where the folder should be")
    assert len(fitted(small(), Checkpoint("id", 0))[1]) == 40
    told = capsys.readouterr().err
    assert told.count("warning: no checkpoint could be written (") == 1


def test_it_is_written_by_time(workspace: Path) -> None:
    for seconds in (None, 3600.0):
        killed(small(), 30, seconds)
        assert Checkpoint("id", 0).state is None


def test_checkpoints_of_abandoned_trainings_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    folder = Checkpoint("0", None).path.parent
    folder.mkdir(parents=True)
    now = time.time()
    for number in range(30):
        path = folder / f"{number}.{'damaged' if number % 3 else 'safetensors'}"
        path.write_bytes(b"")
        os.utime(path, (now - number, now - number))
    days = (checkpoint.DAYS_KEPT + 1) * 24 * 3600
    for name in ("0.safetensors", "1.damaged", "2.damaged"):
        os.utime(folder / name, (now - days, now - days))
    # A training's own checkpoint is never too old: the training resumes from it.
    checkpoint._remove_abandoned(folder / "0.safetensors")
    left = {int(path.stem) for path in folder.iterdir()}
    assert left == {0, *range(3, 3 + checkpoint.NUMBER_KEPT)}

"""A file that is edited while a stage runs is not recorded as the one that made the result."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from conftest import environment, eventually, stopping, tracked_runs

from pipeline.settings import declared, files, inputs, stamps
from pipeline.settings.errors import EditedError

HELD = '''
"""Stage train, which waits after its first checkpoint until the test has edited its inputs."""

from pathlib import Path

from pipeline import train
from pipeline.settings import inputs, runner

check, looks = inputs.check, []

def held() -> None:
    looks.append(1)
    if len(looks) == 2:  # the first is before the first epoch
        Path("edited").read_text()
    check()

inputs.check = held
runner.run(train.main)
'''


def change(path: str, old: str, new: str) -> Callable[[], None]:
    def edit() -> None:
        text = Path(path).read_text()
        assert old in text
        Path(path).write_text(text.replace(old, new, 1))

    return edit


def opened(process: "subprocess.Popen[str]") -> int | None:
    """Open the pipe that the stage waits for; None if the stage is not that far yet."""
    assert process.poll() is None, "it has ended"
    with suppress(OSError):
        return os.open("edited", os.O_WRONLY | os.O_NONBLOCK)
    return None


@pytest.mark.slow
def test_a_training_whose_inputs_were_edited_ends_at_its_next_checkpoint(workspace: Path) -> None:
    """Hours earlier than at its end; and DVC does not record it."""
    Path("pipeline/held.py").write_text(HELD)
    change("dvc.yaml", "python -m pipeline.train", "python -m pipeline.held")()
    change("params.yaml", "checkpoint_seconds: 30.0", "checkpoint_seconds: 0.0")()
    change("params.yaml", "epochs: 100", "epochs: 3")()
    os.mkfifo("edited")
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/.gitkeep").touch()
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "--quiet"], check=True, env=environment())
    module = min(Path("pipeline/learning").glob("[a-z]*.py"))
    with subprocess.Popen(
        [*dvc, "repro", "train"], env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        with stopping(process):
            writer = eventually(lambda: opened(process))
            change("params.yaml", "lr: 0.01", "lr: 0.02")()
            change("params.yaml", "opset: 20", "opset: 19")()
            module.write_text(f"{module.read_text()}\n# edited\n")
            os.close(writer)
        assert process.stderr is not None
        told = process.stderr.read()
    expected = f"error: edited while train ran: params.yaml (train.lr), {module}; DVC would record"
    assert expected in told, told
    assert "Traceback" not in told
    assert process.returncode != 0
    assert list(yaml.safe_load(Path("dvc.lock").read_text())["stages"]) == ["generate"]
    assert not files.MODEL.exists()
    (run,) = tracked_runs(workspace)
    assert run.status == "FAILED"
    assert len(run.losses()) == 1, "the edit was found after the training, not at the checkpoint"
    # Whoever undoes the edit does not train for hours again.
    assert len(list(Path(".dvc/tmp/abline/checkpoints").iterdir())) == 1


@pytest.fixture
def noted(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage `generate` that has begun: its module, its data and its parameters are noted."""
    monkeypatch.setattr(inputs, "_started", [])
    monkeypatch.setattr(stamps, "_code", {})
    Path("data/raw").mkdir(parents=True)
    Path("data/raw/large.csv").write_text("x,y\n" + "1,2\n" * 300_000)
    Path("data/raw/old.csv").write_text("x,y\n1,2\n")
    monkeypatch.setattr(inputs, "LARGE_FILE_BYTES", 1_000_000)
    # DVC takes a second to say so.
    monkeypatch.setattr(declared, "is_ignored", lambda path: path.endswith(".log"))
    stamps.note_code()
    inputs.note("generate")


def rewrite(path: str) -> None:
    """Save a file again, without a change."""
    content = Path(path).read_bytes()
    Path(path).unlink()
    Path(path).write_bytes(content)


@pytest.mark.parametrize(
    ("edit", "edited"),
    [
        (change("params.yaml", "seed: 0", "seed: 1"), "params.yaml (seed)"),
        (change("params.yaml", "  targets", "  target"), "params.yaml (data.targets)"),
        (change("params.yaml", "features: [x]", "features: [x"), "params.yaml"),
        (Path("params.yaml").unlink, "params.yaml"),
        (change("pipeline/generate.py", "Stage", "Step"), "pipeline/generate.py"),
        (change("requirements.txt", "numpy==", "numpy=="), ""),
        (change("requirements.txt", "numpy==", "numpy==9"), "requirements.txt"),
        (lambda: Path("pipeline/tables/more.py").touch(), "pipeline/tables/more.py (new)"),
        (Path("data/raw/old.csv").unlink, "data/raw/old.csv (removed)"),
        (lambda: Path("data/raw/new.csv").touch(), "data/raw/new.csv (new)"),
        (lambda: rewrite("data/raw/old.csv"), ""),
        (change("params.yaml", "seed: 0", "seed: 0  # a comment"), ""),
        (change("params.yaml", "lr: 0.01", "lr: banana"), ""),
        (change("pipeline/tracking/store.py", '"""', '"""Another. '), ""),
        (change("dvc.yaml", "desc: prepare", "desc: make"), ""),
        (lambda: Path("pipeline/tables/.#table.py").symlink_to("nobody@nowhere"), ""),
        (lambda: Path("pipeline/tables/table.py~").touch(), ""),
    ],
)  # fmt: skip
def test_an_input_is_edited_when_dvc_would_record_another_one(
    noted: None, edit: Callable[[], None], edited: str
) -> None:
    files.TRAIN.write_bytes(b"")
    edit()
    if not edited:
        inputs.check_at_end()
        assert files.TRAIN.exists()
        return
    with pytest.raises(EditedError) as caught:
        inputs.check_at_end()
    assert str(caught.value).startswith(f"edited while generate ran: {edited}; DVC would record")
    assert not files.TRAIN.exists(), "it passes for a result"


def test_a_large_file_that_is_written_or_linked_again_loses_no_result(noted: None) -> None:
    rewrite("data/raw/large.csv")
    Path("data/raw/old.csv").touch()
    inputs.check()


@pytest.mark.parametrize("path", ["data/raw/large.csv", "data/raw/old.csv"])
def test_an_edit_that_puts_size_and_time_back_is_seen(noted: None, path: str) -> None:
    before = Path(path).stat()
    change(path, "1,2", "1,3")()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(EditedError, match=f"ran: {path}; "):
        inputs.check()


@pytest.mark.parametrize("by_dvc", [True, False])
def test_a_large_file_that_dvc_has_just_hashed_is_not_hashed_again(
    noted: None, monkeypatch: pytest.MonkeyPatch, by_dvc: bool
) -> None:
    path = "data/raw/large.csv"
    out = {"path": path, "size": Path(path).stat().st_size, "md5": "as recorded"}
    Path("dvc.lock").write_text(yaml.safe_dump({"stages": {"before": {"outs": [out]}}}))
    monkeypatch.delenv("DVC_STAGE", raising=False)
    if by_dvc:
        monkeypatch.setenv("DVC_STAGE", "generate")
    inputs.note("generate")
    assert (inputs._started[0].files[path].md5 == "as recorded") == by_dvc


def test_a_file_that_dvc_ignores_is_no_input(noted: None) -> None:
    Path("data/raw/ours.log").touch()
    inputs.check()


def test_code_that_was_edited_during_its_import_is_not_the_code_that_runs(noted: None) -> None:
    change("pipeline/generate.py", "Stage", "Step")()
    inputs.note("generate")  # later than `note_code`, as in a stage that imports for seconds
    with pytest.raises(EditedError, match=r"ran: pipeline/generate.py; "):
        inputs.check()


def test_a_program_that_is_no_stage_has_no_inputs(noted: None) -> None:
    inputs._started.clear()
    inputs.note("summary")
    Path("params.yaml").unlink()
    inputs.check()

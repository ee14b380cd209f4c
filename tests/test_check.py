"""`python -m pipeline.check` prints the mistakes before `dvc repro` starts, and nothing else."""

import sys
from pathlib import Path

import pytest

from pipeline import check
from pipeline.settings import params


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> None:
    monkeypatch.setattr(sys, "argv", ["check", *options])
    check.main()


def test_a_right_job_is_checked_in_silence(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch)
    assert capsys.readouterr() == ("", "")


def test_a_mistake_ends_it_with_its_message(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("lr: 0.01", "lr: -1"))
    with pytest.raises(SystemExit, match=r"^error: params\.yaml:\d+: train\.lr: found -1; must be"):
        run(monkeypatch)


def test_the_schema_is_printed_whatever_params_yaml_says(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("params.yaml").unlink()
    run(monkeypatch, "--schema")
    assert capsys.readouterr().out == params.schema()

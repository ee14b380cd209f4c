"""The end of `make repro`: its advice gives another result; a damaged file is one message."""

import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from conftest import WIDE, job, job_text, make
from mixed_tables import mixed_job, put_mixed
from stage_runs import run_stages

from pipeline import evaluate, train
from pipeline import summary as program
from pipeline.report import summary
from pipeline.settings import files, params
from pipeline.settings.params import Params


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"train__optimizer": "exact"},
        {"train__optimizer": "exact", "model__bias": False},
        {"train__optimizer": "exact", "model__bias": False, "data__features": ["bias"]},
    ],
)
def test_the_experiment_that_it_offers_gives_another_result(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    monkeypatch.setattr(evaluate, "draw", MagicMock())

    def trained(asked: Params) -> bytes:
        run_stages(asked, "generate", "train", "evaluate")
        return files.MODEL.read_bytes()

    before = trained(job(**changes))
    change = summary.next_experiment(job(**changes))
    if "data__features" in changes:
        assert change is None, "a bias beside a column called bias is refused"
        return
    assert change is not None
    key, value = change.split("=")
    assert trained(job(**changes | {key.replace(".", "__"): json.loads(value)})) != before


def test_a_model_that_bends_may_be_below_the_best_line() -> None:
    reference = {"loss": 2942.240183, "gap": -67.0582}
    assert summary.gap(reference, is_linear=False) == (
        "best line    loss 2942.24 (exact least squares); the model's is 67.1 below it"
    )
    assert summary.gap(reference | {"gap": 6.2169}, is_linear=True) == (
        "optimum      loss 2942.24018 by exact least squares; the model's is 6.22 above it"
    )


def test_more_coefficients_and_predictions_than_it_shows_are_counted(workspace: Path) -> None:
    params = job(
        **WIDE
        | {
            "data__features": [f"x{index}" for index in range(12)],
            "data__generate__weight": [[1.0]] * 12,
            "evaluate__queries": [[float(index)] * 12 for index in range(11)],
        }
    )
    make(params)
    text = summary.lines(params)
    assert [line.split()[1] for line in text[:10]] == [f"x{index}" for index in range(10)]
    assert text[10] == "             and 3 more in reports/coefficients.csv"
    assert [line.split()[0] for line in text[11:21]] == ["prediction"] * 10
    assert text[21] == "             and 1 more in reports/predictions.csv"
    assert text[22].startswith("final loss ")


def test_queries_are_told_by_raw_names(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    monkeypatch.setattr(evaluate, "draw", MagicMock())
    asked = mixed_job()
    put_mixed()
    for each in (train, evaluate):
        each.main(asked)
    files.VERIFICATION.write_text('{"checks": []}')
    told = "\n".join(summary.lines(asked))
    assert "w heating[oil] → price " in told
    for query in (
        "at area = 70, age = (missing), heating = gas, district = north, sold = 2020-01-05",
        "at area = 90.5, age = 3, heating = (missing), district = new, sold = 2020-02-01",
    ):
        assert query in told
    assert "mean absolute error" not in told
    metrics = json.loads(files.METRICS.read_text())
    metrics["train"]["mae_rows"] = 30
    files.METRICS.write_text(json.dumps(metrics))
    told = "\n".join(summary.lines(asked))
    assert "sample       the mean absolute error is of 30 training rows, which the seed" in told
    # A model that was asked for another loss is not warned of by tests of the least-squares line.
    bend = {"targets": {"price": {"reset": {"verdict": "worrying", "p": 0.001, "size": 0.2}}}}
    figures = metrics["train"] | {"below": 0.97, "strictly_below": 0.88}
    files.METRICS.write_text(json.dumps(metrics | {"train": figures, "diagnostics": bend}))
    assert "the line misses a bend" in "\n".join(summary.lines(asked))
    told = "\n".join(summary.lines(mixed_job(train__loss="quantile:0.9", train__optimizer="exact")))
    assert "the line misses a bend" not in told
    assert "88.0 % of the training rows lie below their answer, 97.0 % at or below it" in told


def said(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as left:
        program.main()
    assert "next:" not in capsys.readouterr().out
    return str(left.value.code)


def test_a_file_that_cannot_be_read_is_one_message(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(params.load())
    program.main()
    assert "dvc exp run -S train.lr=0.005" in capsys.readouterr().out
    whole = {path: path.read_bytes() for path in summary.REPORTS}
    for path, content in whole.items():
        odd = [b"\xff", b""]
        if path.suffix == ".json":
            odd += [b"{", b"[1]", b"[" * 100_000, content[: len(content) // 2]]
        for damage in odd:
            path.write_bytes(damage)
            told = said(capsys)
            assert told.startswith("error: "), damage
            assert "`dvc repro`" in told
            assert len(told.splitlines()) == 1, told
        path.unlink()
        assert said(capsys) == f"error: {path}: there is no such file; `dvc repro` makes it"
        path.mkdir()
        assert said(capsys).startswith(f"error: {path}: found a folder; must be a file; ")
        path.rmdir()
        path.write_bytes(content)
    Path("params.yaml").write_text(job_text(data__targets=["other"]))
    assert "are not from one result, or not from this params.yaml" in said(capsys)


def test_a_file_that_may_not_be_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make(params.load())

    def denied(which: Any, *rest: Any, **options: Any) -> Any:  # chmod does not stop root
        if which == closed:
            raise PermissionError(13, "Permission denied", str(which))
        return usual(which, *rest, **options)

    usual = os.open
    monkeypatch.setattr(os, "open", denied)
    closed = files.METRICS
    assert said(capsys).startswith(f"error: {files.METRICS}: Permission denied; make the file or")
    closed = params.PATH
    assert said(capsys) == (
        "error: params.yaml: it cannot be read (Permission denied); make it readable, e.g. `chmod"
        " u+r params.yaml`"
    )

"""The reports of a sweep: its CSV file, the ten best, its picture, and its choice."""

import csv
import re
from pathlib import Path

import pytest
from conftest import job_text

from pipeline.learning.outcomes import Outcome
from pipeline.pictures import sweep_plot
from pipeline.report import sweep_choice, sweep_report
from pipeline.settings import params
from pipeline.settings.errors import UserError


def outcomes(count: int = 12) -> list[Outcome]:
    """Return outcomes of which the middle one is best and the last one has diverged."""
    good = [
        Outcome(
            number,
            {"train.lr": number / 100, "train.nesterov": number % 2 == 0},
            {"cv.rmse.mean": 1.0 + abs(number - 6), "train.rmse": 1.0 / 3},
            ((1, 9.0), (2, 8.5)),
        )
        for number in range(1, count)
    ]
    lost = {"train.lr": 9.0, "train.nesterov": False}
    return [*good, Outcome(count, lost, {}, ((1, 3.0),), "diverged in epoch 2")]


def test_the_file_has_every_configuration_the_best_first(tmp_path: Path) -> None:
    path = tmp_path / "sweep.csv"
    sweep_report.write_csv(path, outcomes(), "cv.rmse.mean")
    header, first, *_, last = csv.reader(path.read_text().splitlines())
    assert header == [
        *("number", "train.lr", "train.nesterov"),
        *("cv.rmse.mean", "train.rmse", "note"),
    ]
    assert first == ["6", "0.06", "true", "1.0", "0.333333333", ""]
    assert last == ["12", "9.0", "false", "", "", "diverged in epoch 2"]


def test_the_terminal_has_the_ten_best() -> None:
    header, *rows, end = sweep_report.lines(outcomes(), "cv.rmse.mean", Path("sweep.csv"))
    assert header.split() == [
        *("number", "train.lr", "train.nesterov"),
        *("cv.rmse.mean", "train.rmse"),
    ]
    assert len(rows) == 10
    assert rows[0].split() == ["6", "0.06", "true", "1", "0.333333"]
    assert end == "all 12 in sweep.csv; 1 configuration without cv.rmse.mean, see `note`"


def test_who_chooses_by_the_rows_held_out_is_told_what_that_costs() -> None:
    swept = [Outcome(number, {"train.lr": number}, {"test.rmse": 1.0}) for number in (1, 2)]
    *_, end = sweep_report.lines(swept, "test.rmse", Path("sweep.csv"))
    assert end == "the rows held out have chosen: their error is too small for new rows"
    assert "held out" not in sweep_report.lines(swept[:1], "test.rmse", Path("sweep.csv"))[-1]


def test_a_sweep_without_any_figure_says_why() -> None:
    (line,) = sweep_report.lines(outcomes(1), "cv.rmse.mean", Path("sweep.csv"))
    assert line == (
        "no configuration has cv.rmse.mean: each one diverged; try smaller values of train.lr;"
        " sweep.csv has the reason for each"
    )
    (line,) = sweep_report.lines([Outcome(1, {}, {}, (), "no")], "test.r2", Path("sweep.csv"))
    assert line == "no configuration has test.r2: no; sweep.csv has the reason for each"


@pytest.mark.parametrize("metric", ["cv.rmse.mean", "test.rmse"])
@pytest.mark.parametrize("keys", [["train.lr", "train.nesterov"], ["train.nesterov"], []])
def test_the_picture(keys: list[str], metric: str, tmp_path: Path) -> None:
    swept = [
        Outcome(each.number, {key: each.settings[key] for key in keys}, each.figures)
        for each in outcomes()
    ]
    sweep_plot.draw(tmp_path / "sweep.svg", swept, metric)
    text = (tmp_path / "sweep.svg").read_text()
    shown = "11 of 12" if metric == "cv.rmse.mean" else "0 of 12"
    assert f"{shown} configurations" in re.sub("<[^>]*>", "", text) or shown in text


def test_the_choice_is_written_and_comments_stay() -> None:
    document = job_text().replace("lr: 0.01", "lr: 0.01  # why")
    outcome = sweep_choice.chosen(outcomes(), "cv.rmse.mean", "best")
    text = sweep_choice.applied(document.replace("momentum: 0.0", "momentum: 0.9"), outcome)
    assert "  lr: 0.06  # why\n" in text
    assert params.parse(text).train.nesterov
    assert sweep_choice.chosen(outcomes(), "cv.rmse.mean", "3").number == 3


def test_a_change_of_params_yaml_during_the_sweep_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document, outcome = job_text(), outcomes()[5]
    edited = document.replace("lr: 0.01", "lr: 0.5  # why").replace(
        "momentum: 0.0", "momentum: 0.9"
    )
    Path("params.yaml").write_text(edited)
    with pytest.raises(UserError, match="configuration 6 is not written") as error:
        sweep_choice.write(document, outcome)
    assert "  train.momentum: 0.0, now 0.9\n" in str(error.value)
    assert "  lr: 0.5  # why\n" in Path("params.yaml").read_text()
    edited = edited.replace("experiment: abline", "experiment: another")
    Path("params.yaml").write_text(edited)
    sweep_choice.write(document.replace("momentum: 0.0", "momentum: 0.9"), outcome)
    written = Path("params.yaml").read_text()
    assert "  lr: 0.06  # why\n" in written
    assert "experiment: another" in written


def test_a_number_is_the_same_configuration_wherever_it_stands(tmp_path: Path) -> None:
    swept, metric = outcomes(), "cv.rmse.mean"
    sweep_report.write_csv(tmp_path / "sweep.csv", swept, metric)
    in_file = [*csv.DictReader((tmp_path / "sweep.csv").read_text().splitlines())]
    head, *rows, _ = sweep_report.lines(swept, metric, Path("sweep.csv"))
    in_terminal = [dict(zip(head.split(), row.split(), strict=True)) for row in rows]
    assert [row["number"] for row in in_terminal] == [row["number"] for row in in_file[:10]]
    for row in [*in_terminal, *in_file[:-1]]:
        choice = sweep_choice.chosen(swept, metric, row["number"])
        assert float(row["train.lr"]) == choice.settings["train.lr"]


def test_a_configuration_without_the_metric_is_refused_with_the_reason() -> None:
    with pytest.raises(UserError) as error:
        sweep_choice.chosen(outcomes(), "cv.rmse.mean", "12")
    assert str(error.value) == (
        "--apply: configuration 12 has no cv.rmse.mean: diverged in epoch 2; choose one that has"
        " it, or best, with --resume, which trains nothing again"
    )
    lost = [Outcome(1, {}, {"cv.rmse.mean": float("nan"), "train.rmse": 1.0})]
    with pytest.raises(UserError, match="configuration 1 has no cv.rmse.mean; choose"):
        sweep_choice.chosen(lost, "cv.rmse.mean", "1")
    assert sweep_choice.chosen(lost, "train.rmse", "1") == lost[0]


@pytest.mark.parametrize("choice", ["13", "0", "worst"])
def test_a_choice_that_there_is_not_is_refused(choice: str) -> None:
    with pytest.raises(UserError, match="must be best or a number from 1 to 12"):
        sweep_choice.chosen(outcomes(), "cv.rmse.mean", choice)
    with pytest.raises(UserError, match="no configuration has test.r2"):
        sweep_choice.chosen(outcomes(), "test.r2", "best")

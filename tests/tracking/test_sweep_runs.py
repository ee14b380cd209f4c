"""The runs of a sweep: a parent and its children, apart from the results."""

import errno
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import job, job_text
from mlflow import MlflowClient

from pipeline.learning.outcomes import Outcome
from pipeline.report.sweep_log import SweepLog
from pipeline.settings import configurations, files, processes
from pipeline.tracking import recorded_sweep, view
from pipeline.tracking.recorded_sweep import recorded
from pipeline.tracking.runs import end_abandoned
from pipeline.tracking.store import open_store
from pipeline.tracking.tags import PARENT, SWEEP_NUMBER

RANGES = ["train.lr=0.1,0.2,0.3,50"]
TRIED = configurations.of(job_text(), RANGES, None)


@pytest.fixture
def folder(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(store_folder)
    (store_folder / "dvc.yaml").write_text("stages: {train: {cmd: x, outs: []}}")
    monkeypatch.setattr(recorded_sweep, "sweep_id", lambda *_: "5" * 32)
    return store_folder


class Trainer:
    """Trainer of one configuration at a time, which may fail before one of them."""

    count, keys, metric = 4, ("train.lr",), "cv.rmse.mean"
    command, description = " ".join(RANGES), "every combination"
    depends_on = ()

    def __init__(self, fails_at: int = 99) -> None:
        self.fails_at = fails_at
        self.trained: list[int] = []

    def chunks(self, done: Collection[int]) -> Iterator[list[Outcome]]:
        for place in range(4):
            number = place + 1
            if number in done:
                continue
            if number == self.fails_at:
                raise KeyboardInterrupt
            self.trained.append(number)
            figures = {"cv.rmse.mean": 1 / number} if number < 4 else {}
            note = "" if figures else "diverged in epoch 2"
            losses = ((1, 5.0), (2, 5e300 if figures else float("inf")))
            yield [Outcome(number, TRIED.settings(place), figures, losses, note)]


def sweep(trainer: Trainer, *, resume: bool = False) -> list[Outcome]:
    return recorded(job(), trainer, resume=resume)


def runs() -> tuple[list[Any], list[Any]]:
    """Return the parents and the children, oldest first."""
    store = open_store("abline")
    every = store.client.search_runs([store.experiment_id], order_by=["attributes.start_time ASC"])
    parents = [run for run in every if PARENT not in run.data.tags]
    children = [run for run in every if PARENT in run.data.tags]
    return parents, sorted(children, key=lambda run: int(run.data.tags[SWEEP_NUMBER]))


def test_each_configuration_has_a_run_below_its_sweep(folder: Path) -> None:
    assert [each.number for each in sweep(Trainer())] == [1, 2, 3, 4]
    (parent,), children = runs()
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {"train.lr": "0.3"}
    assert parent.data.metrics == {"cv.rmse.mean": 1 / 3}
    assert {child.data.tags[PARENT] for child in children} == {parent.info.run_id}
    assert [child.data.params["train.lr"] for child in children] == ["0.1", "0.2", "0.3", "50.0"]
    assert [child.info.status for child in children] == ["FINISHED"] * 3 + ["FAILED"]
    assert children[0].data.metrics == {"cv.rmse.mean": 1.0, "loss": 5e300}
    assert children[3].data.metrics == {"loss": 5.0}
    assert children[3].data.tags["reason"] == "diverged in epoch 2"
    assert files.SWEEP.exists()
    assert files.SWEEP_PLOT.exists()


def test_a_sweep_that_was_stopped_goes_on_in_the_same_runs(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as stop:
        sweep(Trainer(fails_at=3))
    assert stop.value.__notes__ == [
        "2 of 4 configurations are kept; with --resume the same command goes on"
    ]
    (parent,), children = runs()
    assert parent.info.status == "KILLED"
    assert parent.data.tags["reason"] == "stopped after 2 of 4 configurations"
    assert len(children) == 2
    assert len(files.SWEEP.read_text().splitlines()) == 3

    rest = Trainer()
    assert [each.number for each in sweep(rest, resume=True)] == [1, 2, 3, 4]
    assert rest.trained == [3, 4]
    (again,), children = runs()
    assert (again.info.run_id, again.info.status) == (parent.info.run_id, "FINISHED")
    assert "reason" not in again.data.tags
    assert len(children) == 4


def test_a_sweep_of_another_clone_is_left_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may run at this moment: equal sweeps have equal ids, and clones may share a store."""
    sweep(Trainer())
    (theirs,), children = runs()
    client = open_store("abline").client
    for each in (theirs, children[1]):
        client.update_run(each.info.run_id, "RUNNING")
    (tmp_path / "clone").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(files, "root", lambda: tmp_path / "clone")
        assert len(sweep(Trainer(), resume=True)) == 4
    parents, both = runs()
    assert [each.info.status for each in parents] == ["RUNNING", "FINISHED"]
    ids = {each.info.run_id for each in both}
    assert len(ids) == 8
    assert {each.info.run_id for each in children} <= ids


def test_without_its_run_a_sweep_gets_a_new_one(folder: Path) -> None:
    sweep(Trainer())
    (parent,), _ = runs()
    open_store("abline").client.delete_run(parent.info.run_id)
    for _ in range(2):
        sweep(Trainer(), resume=True)
    (again,), children = runs()
    assert again.info.run_id != parent.info.run_id
    assert [run.data.tags[PARENT] for run in children].count(again.info.run_id) == 4


def test_what_a_killed_sweep_has_left_is_ended_by_the_next_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep(Trainer())
    (killed,), children = runs()
    store = open_store("abline")
    for each in (killed, children[3]):
        store.client.update_run(each.info.run_id, "RUNNING")
    monkeypatch.setattr(processes, "is_gone", lambda _: True)
    sweep(Trainer())
    for each in (killed, children[3]):
        after = store.client.get_run(each.info.run_id)
        assert after.info.status == "KILLED"
        assert after.data.tags["reason"]


def test_what_a_killed_sweep_was_writing_is_ended_and_written_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(self: MlflowClient, run_id: str, *status: Any) -> None:
        if runs()[1][2:]:
            raise KeyboardInterrupt
        end(self, run_id, *status)

    end = MlflowClient.set_terminated
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "set_terminated", kill)
        with pytest.raises(KeyboardInterrupt):
            sweep(Trainer())
    store = open_store("abline")
    assert [run.info.status for each in runs() for run in each].count("RUNNING") == 2
    assert end_abandoned(store) == 0
    monkeypatch.setattr(processes, "is_gone", lambda _: True)
    assert end_abandoned(store) == 2
    sweep(Trainer(), resume=True)
    (parent,), children = runs()
    assert parent.info.status == "FINISHED"
    assert [child.info.status for child in children] == ["FINISHED"] * 3 + ["FAILED"]


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "rows"), [(0.0, [1, 2, 3, 4]), (1e9, [1] * 4)])
def test_a_sweep_that_is_killed_leaves_its_own_report(
    seconds: float, rows: list[int], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded_sweep, "SECONDS_BETWEEN_REPORTS", seconds)
    files.SWEEP.parent.mkdir()
    for path in (files.SWEEP, files.SWEEP_PLOT):
        path.write_text("of the sweep before")
    watched = Watched()
    sweep(watched)
    assert watched.lines == [None, *(count + 1 for count in rows)]
    with pytest.raises(KeyboardInterrupt):
        sweep(Trainer(fails_at=3))
    watched = Watched()
    sweep(watched, resume=True)
    assert watched.lines[0] == 1 + 2


class Watched(Trainer):
    """A trainer that notes the lines of the report before each configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int | None] = []

    def chunks(self, done: Collection[int]) -> Iterator[list[Outcome]]:
        chunks = super().chunks(done)
        while True:
            assert files.SWEEP.exists() is files.SWEEP_PLOT.exists()
            there = files.SWEEP.exists()
            self.lines.append(len(files.SWEEP.read_text().splitlines()) if there else None)
            try:
                yield next(chunks)
            except StopIteration:
                return


def test_what_was_tried_before_the_disk_was_full_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: SweepLog, outcomes: list[Outcome]) -> None:
        if outcomes[0].number == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, outcomes)

    append = SweepLog.append
    with monkeypatch.context() as patch:
        patch.setattr(SweepLog, "append", full)
        with pytest.raises(OSError, match="No space left"):
            sweep(Trainer())
    assert capsys.readouterr().err == "2 of 4 configurations are kept for --resume\n"
    assert len(files.SWEEP.read_text().splitlines()) == 3
    rest = Trainer()
    sweep(rest, resume=True)
    assert rest.trained == [3, 4]


def test_a_run_that_is_half_written_is_written_again(folder: Path) -> None:
    sweep(Trainer())
    _, children = runs()
    open_store("abline").client.update_run(children[1].info.run_id, "RUNNING")
    sweep(Trainer(), resume=True)
    _, after = runs()
    assert [child.info.status for child in after] == ["FINISHED"] * 3 + ["FAILED"]
    assert after[1].info.run_id != children[1].info.run_id


def test_without_resume_a_sweep_begins_anew(folder: Path) -> None:
    sweep(Trainer())
    again = Trainer()
    sweep(again)
    assert again.trained == [1, 2, 3, 4]
    parents, children = runs()
    assert (len(parents), len(children)) == (2, 8)


def test_a_store_that_fails_stops_no_sweep(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mlflow.db").write_bytes(b"no database" * 100)
    assert len(sweep(Trainer())) == 4
    assert "`--resume` writes them when the store works again" in capsys.readouterr().err


def test_the_page_shows_results_and_sweeps_apart(folder: Path) -> None:
    store = open_store("abline")
    result = store.client.create_run(store.experiment_id, tags={"training_id": "a"})
    sweep(Trainer())
    (parent,) = runs()[0][1:]
    links = view.links(store, "http://page").splitlines()
    assert links[-1].startswith("last sweep   http://page/#/experiments/")
    tags = store.client.get_experiment(store.experiment_id).tags
    of_results, of_sweep = (
        json.loads(tags[f"mlflow.sharedViewState.{name}"]) for name in ("abline", "abline-sweep")
    )

    def shown(condition: str) -> list[str]:
        matching = store.client.search_runs([store.experiment_id], condition)
        return [run.info.run_id for run in matching]

    assert shown(of_results["searchFilter"]) == [result.info.run_id]
    assert len(shown(of_sweep["searchFilter"])) == 4
    assert parent.info.run_id not in shown(of_sweep["searchFilter"])
    assert of_sweep["orderByKey"] == "metrics.`cv.rmse.mean`"
    assert of_sweep["selectedColumns"] == ["params.`train.lr`", "metrics.`cv.rmse.mean`"]


def test_without_a_sweep_the_view_is_as_before(folder: Path) -> None:
    store = open_store("abline")
    view.share(store)
    tags = store.client.get_experiment(store.experiment_id).tags
    assert "searchFilter" not in tags["mlflow.sharedViewState.abline"]
    assert "last sweep" not in view.links(store, "http://page")

"""After a repository was renamed or copied, its old store is kept and a new store replaces it."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import Checkout, Clone, job, job_text
from mlflow import MlflowClient
from stage_runs import is_complete
from stores import move_artifacts

from pipeline.settings.errors import UserError
from pipeline.tracking import moved_store
from pipeline.tracking.live import live_run
from pipeline.tracking.moved_store import put_aside
from pipeline.tracking.replay import replay_missing
from pipeline.tracking.store import open_store
from pipeline.tracking.store_failures import REPLAY_LATER, MovedError, StoreError, cure


def test_one_folder_under_two_paths_is_no_other_folder(
    store_folder: Path, mounted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each change of the path would add a copy of the whole store."""
    home = store_folder / "home"
    home.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(home))
    (store_folder / "mlflow.db").rename(home / "mlflow.db")
    move_artifacts(home / "mlflow.db", home / "mlartifacts/runs", "abline")
    point = mounted("--bind", str(home))
    for root in (point, home, point):
        monkeypatch.setenv("DVC_ROOT", str(root))
        assert open_store("abline").experiment_id


def test_the_warning_of_a_store_that_moved_says_one_thing_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    moved = MovedError(tmp_path / "mlflow.db", tmp_path / "old")
    with live_run() as run:
        run._warn(str(moved), cure(moved))
    told = capsys.readouterr().err
    assert told.count("`python -m pipeline.track --all`") == 1
    assert told.endswith("DVC's cache. The result is not touched by this\n")
    assert cure(UserError("")) == REPLAY_LATER


@pytest.fixture
def home(fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder with a store that was made in another one."""
    folder = tmp_path / "home"
    folder.mkdir()
    shutil.copy(fresh_store, folder / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(folder))
    return folder


def moved_here() -> MovedError:
    """Return the error of opening the store."""
    with pytest.raises(MovedError) as caught:
        open_store("abline")
    return caught.value


def stores(folder: Path) -> dict[str, bytes]:
    """Return the content of the stores in a folder, by name."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("mlflow*"))}


def test_a_moved_store_is_put_aside_as_it_is(home: Path, fresh_store: Path) -> None:
    """It has runs that nothing can replay; a new store keeps its files here."""
    before = fresh_store.read_bytes()
    told = put_aside(moved_here(), "abline")
    (aside,) = stores(home)
    assert aside.startswith("mlflow.moved-20")
    assert f"{home}/mlflow.db was made in {fresh_store.parent}: a new one takes its place" in told
    advice = f"`mlflow ui --backend-store-uri 'sqlite:///{home}/{aside}'` shows them"
    assert told.endswith(f" and the notes and changes that people made by hand: {advice}")
    opened = open_store("abline")
    run = opened.client.create_run(opened.experiment_id)
    assert run.info.artifact_uri.startswith((home / "mlartifacts/runs").as_uri())
    assert stores(home)[aside] == before
    assert list(stores(home)) == ["mlflow.db", aside]


def test_only_who_asks_for_it_puts_a_store_aside(home: Path) -> None:
    """`make ui` says what to run: the runs of the old store would be gone from its page."""
    before = stores(home)
    with pytest.raises(MovedError, match=r"run `python -m pipeline.track --all` once"):
        replay_missing(job().tracking)
    assert stores(home) == before


def test_a_folder_with_two_paths_in_turn_has_two_stores(home: Path, fresh_store: Path) -> None:
    """As in a container and outside of it: each path's store is used again, with no new copy."""
    own = home / "mlflow.moved-2026-01-01-00.00.00.db"
    shutil.copy(fresh_store, own)
    move_artifacts(own, home / "mlartifacts/runs")
    inside, outside = own.read_bytes(), (home / "mlflow.db").read_bytes()
    told = put_aside(moved_here(), "abline")
    assert f"the one that was made here, {own.name}, takes its place" in told
    assert list(stores(home).values()) == [inside, outside]
    assert open_store("abline").experiment_id


def test_a_store_with_an_experiment_of_another_clone_has_not_moved(home: Path) -> None:
    """MLFLOW_TRACKING_URI may tell clones to use this repository's store."""
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        columns = "name, artifact_location, lifecycle_stage, creation_time, last_update_time"
        here = (home / "mlartifacts/runs").as_uri()
        database.execute(
            f"INSERT INTO experiments ({columns}, workspace) SELECT 'here', ?, lifecycle_stage,"
            " creation_time, last_update_time, workspace FROM experiments WHERE name = 'abline'",
            [here],
        )
        database.commit()
    assert open_store("here").experiment_id


def test_no_store_that_was_put_aside_is_overwritten(
    home: Path, fresh_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda _: "today")
    for _ in range(3):
        shutil.copy(fresh_store, home / "mlflow.db")
        put_aside(moved_here(), "abline")
    names = [f"mlflow.moved-today{number}.db" for number in ("-2", "-3", "")]
    assert list(stores(home)) == names


def test_a_store_that_is_written_to_is_not_put_aside(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite finds the journal of a change by the name of the file."""
    moved = moved_here()
    monkeypatch.setattr(moved_store, "SECONDS_LOCKED", 0.05)
    with closing(sqlite3.connect(home / "mlflow.db")) as writer:
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="database is locked.*: another process is writing"):
            put_aside(moved, "abline")
        writer.rollback()
    assert list(stores(home)) == ["mlflow.db"]


def test_a_store_that_another_process_has_put_aside_is_left(home: Path) -> None:
    moved = moved_here()
    put_aside(moved, "abline")
    open_store("abline")
    before = stores(home)
    assert put_aside(moved, "abline") == f"{home}/mlflow.db: another process has put it aside"
    assert stores(home) == before


@pytest.mark.parametrize("kind", ["symlink_to", "hardlink_to"])
def test_a_store_that_two_folders_link_to_is_not_put_aside(
    fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It belongs to the other folder."""
    own = tmp_path / "theirs/mlflow.db"
    own.parent.mkdir()
    shutil.copy(fresh_store, own)
    home = tmp_path / "ours"
    home.mkdir()
    getattr(home / "mlflow.db", kind)(own)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(home))
    with pytest.raises(UserError, match="the folder of the clone that made it"):
        open_store("abline")


@pytest.fixture
def shared(store_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that was made in this folder; another clone has an experiment of its own in it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    file = store_folder / "mlflow.db"
    move_artifacts(file, store_folder / "mlartifacts/0", "Default")
    with closing(sqlite3.connect(file)) as database:
        columns = "lifecycle_stage, creation_time, last_update_time, workspace"
        database.execute(
            f"INSERT INTO experiments (name, artifact_location, {columns})"
            f" SELECT 'the clone''s', ?, {columns} FROM experiments WHERE name = 'abline'",
            [(store_folder.parent / "clone/mlartifacts/runs").as_uri()],
        )
        database.commit()
    return file


def test_a_store_in_which_another_clone_has_an_experiment_has_not_moved(shared: Path) -> None:
    """Otherwise each of the two would put the other's runs aside."""
    assert open_store("abline").experiment_id
    assert list(stores(shared.parent)) == ["mlflow.db"]


def test_a_store_whose_experiment_another_clone_made_has_not_moved(shared: Path) -> None:
    """MLflow's own experiment says in which folder the file was made."""
    with closing(sqlite3.connect(shared)) as database:
        database.execute("DELETE FROM experiments WHERE name = 'abline'")
        database.commit()
    with pytest.raises(StoreError, match="the folder of the clone that made it"):
        open_store("the clone's")


def test_a_store_that_the_other_folder_links_to_is_not_put_aside(home: Path) -> None:
    moved_here()
    link = home.with_name("theirs") / "mlflow.db"
    link.parent.mkdir()
    link.symlink_to(home / "mlflow.db")
    move_artifacts(home / "mlflow.db", link.parent / "mlartifacts/runs")
    with pytest.raises(StoreError, match="the folder of the clone that made it"):
        open_store("abline")


def test_a_store_that_the_variable_names_is_not_put_aside(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others may use it; the message says what to do instead."""
    named = (home / "mlflow.db").rename(home / "team.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{named}")
    with pytest.raises(StoreError, match="let MLFLOW_TRACKING_URI name a new file") as caught:
        open_store("abline")
    assert not isinstance(caught.value, MovedError)


def test_what_stays_in_the_old_file_is_named(home: Path) -> None:
    """Somebody who believes that everything is replayed would delete the only copy."""
    moved = MovedError(home / "mlflow.db", home.parent / "old")
    with closing(sqlite3.connect(moved.file)) as database:
        database.execute("INSERT INTO experiments (name) VALUES ('by hand')")
        database.execute("INSERT INTO registered_models (name) VALUES ('abline')")
        insert = "INSERT INTO model_versions (name, version) VALUES ('abline', ?)"
        database.executemany(insert, [(1,), (2,)])
        database.commit()
    told = put_aside(moved, "abline")
    assert "results that git or DVC's cache does not have" in told
    assert "1 other experiment and the model registry with 2 versions and their aliases" in told


@pytest.mark.slow
@pytest.mark.parametrize("how", ["renamed", "copied"])
def test_a_folder_that_moved(clone: Clone, how: str) -> None:
    """Each result has one run, with its files, in the new folder; the old store stays as it is."""
    checkout = clone("home")
    checkout("dvc", "repro")
    checkout("git", "commit", "--quiet", "--all", "--amend", "--no-edit")
    (checkout.path / "params.yaml").write_text(job_text(train__lr=0.1))
    checkout.stage("train", ok=False)
    home, moved = checkout.path, checkout.path.with_name("moved")
    before = (home / "mlflow.db").read_bytes()
    if how == "renamed":
        home.rename(moved)
    else:
        shutil.copytree(home, moved, symlinks=True)
    there = Checkout(moved)
    (moved / "params.yaml").write_text(job_text(train__lr=0.02))
    told = there("dvc", "repro")
    assert told.count("warning: ") == 1, told
    assert f"{moved}/mlflow.db was made when this repository was {home}" in told
    assert (moved / "mlflow.db").read_bytes() == before
    told = there("python", "-m", "pipeline.track", "--all")
    (aside,) = moved.glob("mlflow.moved-*.db")
    assert aside.read_bytes() == before
    assert f"`mlflow ui --backend-store-uri 'sqlite:///{aside}'`" in told
    old_runs = MlflowClient(f"sqlite:///{aside}").search_runs(["1"])
    assert sorted(run.info.status for run in old_runs) == ["FAILED", "FINISHED"]
    if how == "copied":
        assert (home / "mlflow.db").read_bytes() == before
        shutil.rmtree(home)
    runs = there.all_runs()
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02"]
    for run in runs:
        assert is_complete(run)
        assert run.model_file()
        assert run.artifact("reports/plots/fit.svg").startswith(b"<?xml")
    assert there("python", "-m", "pipeline.track", "--all") == "2 results had a run already\n"
    assert not home.exists()

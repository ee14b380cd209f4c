"""Which results have a run without being asked for, and what their runs are called."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any, cast

import pytest
import yaml
from conftest import Clone, job

from pipeline import (
    catch_up,
    evaluate,
    export,
    generate,
    lineage,
    results,
    track,
    tracking,
    train,
)
from pipeline.lineage import Origin
from pipeline.results import Place
from pipeline.store import Store


def lock(code: str, data: str = "1", **params: Any) -> str:
    """A dvc.lock as DVC writes it, of a pipeline with this code, data and parameters."""

    def digest(content: str) -> str:
        return results.md5({"content": content})

    stages = {
        "train": {
            "deps": [{"path": "pipeline/train.py", "hash": "md5", "md5": digest(code)}],
            "params": {"params.yaml": params},
            "outs": [{"path": "data/train.parquet", "hash": "md5", "md5": digest(data)}],
        },
        "track": {"outs": [{"path": "reports/run.json", "hash": "md5", "md5": digest(code)}]},
    }
    return yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False)


def history(*locks: str) -> dict[str, list[Place]]:
    """Commits with these locks, oldest first."""
    places = [
        Place(f"{number:032}", text, before, commit=f"{number:040}")
        for number, (text, before) in enumerate(zip(locks, ("", *locks), strict=False))
    ]
    return {place.md5: [place] for place in places}


def left_out(found: dict[str, list[Place]], head: int) -> list[int]:
    """The numbers of those that are not replayed by default, with one of them checked out."""
    (place,) = found[f"{head:032}"]
    return sorted(int(md5) for md5 in catch_up._unvaried(found, found, place))


def test_commits_that_changed_only_code_are_left_out() -> None:
    found = history(
        lock("a", lr=0.01),
        lock("b", lr=0.01),
        lock("c", lr=0.01, patience=None),  # a parameter that came with the code
        lock("d", lr=0.02, patience=None),
        lock("e", lr=0.02, patience=None),
        lock("f", lr=0.02, patience=None, data="2"),
        lock("g", lr=0.01, patience=None, data="2"),
        lock("h", lr=0.01, patience=None, data="2"),
    )
    assert left_out(found, head=7) == [1, 2, 4]


def test_of_commits_with_equal_values_only_the_last_is_replayed() -> None:
    assert left_out(history(*(lock(code, lr=0.01) for code in "abcd")), head=3) == [0, 1, 2]
    assert left_out(history(lock("a", lr=0.01)), head=0) == []


def test_experiments_and_what_waits_are_never_left_out() -> None:
    found = history(lock("a", lr=0.01), lock("b", lr=0.01))
    same = lock("c", lr=0.01)
    found["7" * 32] = [Place("7" * 32, same, same, commit="7" * 40, experiment="runty-erns")]
    found["8" * 32] = [Place("8" * 32, "", folder=Path("waiting"))]
    assert left_out(found, head=1) == [0]


@pytest.mark.parametrize(
    ("changed", "data", "name"),
    [
        (None, False, "params not in git"),
        ({}, False, "committed params"),
        ({}, True, "other data"),
        ({"train.lr": 0.02, "seed": 1}, True, "seed=1, other data, train.lr=0.02"),
    ],
)
def test_a_name_says_what_was_varied(changed: dict[str, Any] | None, data: bool, name: str) -> None:
    assert lineage.differences(changed, data) == name


def test_a_run_is_named_by_what_differs_from_the_one_before(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The person has committed nothing: beside the commit, eight parameters would differ."""
    generate.main(job())
    for lr in (0.01, 0.02):
        for stage in (train, evaluate, export, track):
            stage.main(job(train__lr=lr))
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("run ")]
    assert told == [
        "run completed: params not in git (no commit)",
        "run completed: train.lr=0.02 (no commit)",
    ]


def test_in_a_queue_a_run_is_named_by_what_differs_from_the_nearest_of_its_commit() -> None:
    """The run that ended before may be of another series, or of another commit."""
    mine, other = {"dvc.baseline": "a" * 40}, {"dvc.baseline": "b" * 40}
    earlier = [
        (other, {"train.lr": "0.02", "train.epochs": "1000", "train.momentum": "0.9"}),
        (mine, {"train.lr": "0.03", "train.epochs": "100", "train.momentum": "0.0"}),
        ({tracking.COMMIT: "a" * 40}, {"train.lr": "0.02", "train.epochs": "100"}),
        (mine, {"train.lr": "0.02", "train.epochs": "1000", "train.momentum": "0.0"}),
    ]
    runs = [Namespace(data=Namespace(tags=tags, params=params)) for tags, params in earlier]
    store = Namespace(client=Namespace(search_runs=lambda *_, **__: runs), experiment_id="1")
    values = {"train.lr": 0.02, "train.epochs": 1000, "train.momentum": 0.0}
    changes = {"train.lr": 0.02, "train.epochs": 1000}
    origin = Origin("", "a" * 40, baseline="a" * 40, place="mated-vies", changes=changes)
    named = tracking._named(cast(Store, store), origin, values, 0)
    assert named.name == "train.epochs=1000 (mated-vies)"
    alone = replace(origin, baseline="c" * 40)
    assert tracking._named(cast(Store, store), alone, values, 0) is alone


@pytest.mark.slow
def test_to_fetch_is_advised_only_where_there_is_a_remote(clone: Clone) -> None:
    checkout = clone("fresh")
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "which DVC's cache lacks:" in told
    assert "dvc fetch" not in told
    Path(checkout.path / "mlflow.db").unlink()
    checkout("dvc", "remote", "add", "--default", "shared", str(checkout.path / "remote"))
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "which DVC's cache lacks (`dvc fetch --all-commits` may bring them):" in told

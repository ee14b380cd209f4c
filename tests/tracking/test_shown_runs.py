"""Which results have a run without being asked for, and what their runs are called."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any, cast

import pytest
import yaml
from commits import git
from conftest import Clone, job

from pipeline import evaluate, export, generate, track, train
from pipeline.tracking import dvc_cache, places, provenance, replay, run_name
from pipeline.tracking.outcome import Outcome
from pipeline.tracking.place import Place, run_md5
from pipeline.tracking.provenance import Origin
from pipeline.tracking.store import Store
from pipeline.tracking.tags import COMMIT
from pipeline.tracking.waiting import Waiting


def lock(code: str, data: str = "1", **params: Any) -> str:
    """A dvc.lock as DVC writes it, of a pipeline with this code, data and parameters."""

    def digest(content: str) -> str:
        return run_md5({"content": content})

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
    return sorted(int(md5) for md5 in replay._unvaried(found, found, place))


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


def test_commits_that_changed_only_what_changes_no_figure_are_left_out() -> None:
    """The first commit of this repository has other tolerances, and the same model and figures."""
    old: dict[str, Any] = {"export.atol": 1e-6, "tracking.experiment": "old", "train.lr": 0.01}
    new: dict[str, Any] = old | {"export.atol": 0.0, "tracking.experiment": "new"}
    found = history(
        lock("a", "1", **old),
        lock("b", "1", **new),
        lock("c", "1", **new),
    )
    assert left_out(found, head=2) == [0, 1]


def test_experiments_and_what_waits_are_never_left_out() -> None:
    found = history(lock("a", lr=0.01), lock("b", lr=0.01))
    same = lock("c", lr=0.01)
    found["7" * 32] = [Place("7" * 32, same, same, commit="7" * 40, experiment="runty-erns")]
    found["8" * 32] = [Waiting("8" * 32, folder=Path("waiting"))]
    assert left_out(found, head=1) == [0]


@pytest.mark.parametrize(
    ("changed", "data", "changed_files", "name"),
    [
        (None, False, "", "params not in git"),
        (None, False, "a.py", "params not in git"),
        ({}, False, "", "committed params"),
        ({}, False, "params.yaml", "committed params"),
        ({}, True, "data/raw/t.csv", "other data"),
        ({"train.lr": 0.02, "seed": 1}, True, "a.py", "seed=1, other data, train.lr=0.02"),
        (
            {},
            False,
            "params.yaml pipeline/learning/module.py",
            "pipeline/learning/module.py changed",
        ),
        ({}, False, "a.py b.py", "a.py, b.py changed"),
        ({}, False, "a.py b.py c.py d.py", "a.py, b.py and 2 more changed"),
    ],
)
def test_a_name_says_what_was_varied(
    changed: dict[str, Any] | None, data: bool, changed_files: str, name: str
) -> None:
    assert provenance.differences(changed, data, changed_files.split()) == name


def test_a_commit_is_named_by_what_it_changed_itself(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dvc.lock may be as old as the first commit: what came between is not the last one's."""
    git(workspace, "init", "--quiet")
    names = {}
    for message, params, text in (
        ("first", {"lr": 0.01, "atol": 1e-6}, "lr: 0.01"),
        ("params only", None, "atol: 0.0"),
        ("lock only", {"lr": 0.01, "atol": 0.0}, None),
        ("both", {"lr": 0.02, "atol": 0.0}, "lr: 0.02"),
    ):
        if params is not None:
            Path("dvc.lock").write_text(lock(message, "1", **params))
        if text is not None:
            Path("params.yaml").write_text(text)
        git(workspace, "add", "dvc.lock", "params.yaml")
        git(workspace, "commit", "--quiet", f"--message={message}")
        names[git(workspace, "rev-parse", "HEAD")] = message
    named = {
        names[str(same[0].commit)]: same[0].origin().name.partition(" (")[0]
        for same in places.everywhere().values()
    }
    assert named == {
        "first": "committed params",
        "lock only": "committed params",
        "both": "lr=0.02",
    }


def test_only_files_that_a_stage_depends_on_are_named(workspace: Path) -> None:
    paths = ["Notes.txt", "README.md", "pipeline/learning/module.py"]
    assert provenance._read_by_stages(paths) == ["pipeline/learning/module.py"]


@pytest.mark.parametrize(
    ("has_remote", "cure"),
    [(False, "nothing to do"), (True, "`dvc fetch --all-commits` may bring them")],
)
def test_what_a_run_lacks_is_a_sentence_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, has_remote: bool, cure: str
) -> None:
    monkeypatch.setattr(dvc_cache, "location", lambda: (None, has_remote))
    one, two = (Place("0" * 32, "lock", commit=letter * 40) for letter in "ab")
    outcome = Outcome()
    outcome.missing = {"models/a": [one], "models/a, models/b": [one, two]}
    assert outcome.lines() == [
        f"commit aaaaaaa: its run lacks models/a, which is not in DVC's cache; {cure}",
        "commit aaaaaaa, commit bbbbbbb: their runs lack models/a, models/b, which are not in"
        f" DVC's cache; {cure}",
    ]


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
        ({COMMIT: "a" * 40}, {"train.lr": "0.02", "train.epochs": "100"}),
        (mine, {"train.lr": "0.02", "train.epochs": "1000", "train.momentum": "0.0"}),
    ]
    runs = [Namespace(data=Namespace(tags=tags, params=params)) for tags, params in earlier]
    store = Namespace(client=Namespace(search_runs=lambda *_, **__: runs), experiment_id="1")
    values = {"train.lr": 0.02, "train.epochs": 1000, "train.momentum": 0.0}
    changes = {"train.lr": 0.02, "train.epochs": 1000}
    origin = Origin("", "a" * 40, baseline="a" * 40, place="mated-vies", changes=changes)
    named = run_name.shortest(cast(Store, store), origin, values, 0)
    assert named.name == "train.epochs=1000 (mated-vies)"
    alone = replace(origin, baseline="c" * 40)
    assert run_name.shortest(cast(Store, store), alone, values, 0) is alone


@pytest.mark.slow
def test_to_fetch_is_advised_only_where_there_is_a_remote(clone: Clone) -> None:
    checkout = clone("fresh")
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; nothing to do" in told
    assert "dvc fetch" not in told
    Path(checkout.path / "mlflow.db").unlink()
    checkout("dvc", "remote", "add", "--default", "shared", str(checkout.path / "remote"))
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; `dvc fetch --all-commits` may bring them" in told

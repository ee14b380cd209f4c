"""A stranger's commit, experiment, list or kept result reaches no file of the user."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from commits import Change, Repository, another, entry, nothing, other_md5, replay_all
from commits import repository_fixture as repository_fixture
from conftest import job, tracked_runs
from safetensors.numpy import save_file

from pipeline.results import lock_file, provenance, waiting
from pipeline.results.place import run_md5
from pipeline.settings import dvc_md5, files, ids
from pipeline.settings.errors import UserError
from pipeline.tracking import lookup
from pipeline.tracking.tags import COMMIT


@pytest.fixture
def victim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the user's own, outside the repository."""
    place = tmp_path_factory.mktemp("home")
    (place / "work").mkdir()
    (place / "work/thesis").write_text("years of work")
    (place / "authorized_keys").write_text("a secret of mine")
    return place


def content(folder: Path) -> dict[str, bytes | None]:
    """Return all files below a folder; links are not followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not path.is_symlink()
    }


def artifacts(repository: Repository) -> bytes:
    """Return the bytes of all artifacts, one after the other."""
    files = (repository.path / "mlartifacts").rglob("*")
    return b"".join(path.read_bytes() for path in files if path.is_file())


def test_a_strangers_commit_reaches_nothing_outside(repository: Repository, victim: Path) -> None:
    """Paths, md5s, lists and links, in commits and in an experiment; valid results have a run."""
    before = content(victim)
    evil = repository.cached(b"ssh-rsa evil")
    up = "../" * 20
    listed = [
        [{"relpath": up + str(victim / "work/new"), "md5": evil}],
        [{"relpath": str(victim / "authorized_keys"), "md5": evil}],
        [{"relpath": "a\\..\\b", "md5": evil}],
        [{"relpath": "a", "md5": evil}, {"relpath": "a", "md5": evil}],
        [{"relpath": "a", "md5": evil}, {"relpath": "a/b", "md5": evil}],
        [{"relpath": "a", "md5": "ab/" + up + str(victim / "authorized_keys")}],
        [{"relpath": "a"}],
        [7],
        {"relpath": "a"},
    ]
    folder = repository.cached(json.dumps([{"relpath": "thesis", "md5": evil}]).encode(), ".dir")
    linked = hashlib.md5(b"a secret of mine").hexdigest()
    place = repository.path / ".dvc/cache/files/md5" / linked[:2] / linked[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(victim / "authorized_keys")
    lists = {
        f"list {number}": other_md5(
            files.PLOTS, repository.cached(json.dumps(each).encode(), ".dir")
        )
        for number, each in enumerate(listed)
    }
    refused = lists | {
        "absolute folder": another(str(victim / "work"), folder),
        "absolute file": another(str(victim / "authorized_keys"), evil),
        "up": another(up + str(victim / "work"), folder),
        "up from below": another("reports/" + up + str(victim / "work"), folder),
        "backslashes": another("reports\\x", evil),
        "path in the md5": other_md5(files.CARD, "ab/" + up + str(victim / "authorized_keys")),
        "no md5": lambda stages: entry(stages, files.CARD).pop("md5"),
    }
    taken = {
        "nothing": nothing,
        "below another output": another("reports/plots/evil", evil),
        "a dependency elsewhere": lambda stages: stages["train"]["deps"].append(
            {"path": "/etc/x blob\nHEAD:./dvc.lock", "md5": evil}
        ),
    }
    commits = {
        name: repository.commit(repository.changed(change), "reports", "models", "data")
        for name, change in (refused | taken).items()
    }
    # A link in the cache does not count as a file.
    files.CARD.unlink()
    lock = repository.changed(other_md5(files.CARD, linked))
    commits["link in the cache"] = repository.commit(lock, "reports")
    # Nor does a link in a commit count, with any md5 in the lock.
    files.CARD.symlink_to(victim / "authorized_keys")
    lock = repository.changed(lambda stages: another("x", linked)(stages))
    commits["link in a commit"] = repository.commit(lock, "reports")
    shutil.move("reports", "moved")
    Path("reports").symlink_to(victim / "work")
    lock = repository.changed(lambda stages: another("y", linked)(stages))
    theirs = repository.commit(lock, "reports")
    repository.git("update-ref", f"refs/exps/{theirs[:2]}/{theirs[2:]}/theirs", theirs)
    repository.git("reset", "--quiet", "--hard", f"{theirs}~1")

    printed = replay_all()
    assert content(victim) == before
    assert not any(path.is_symlink() for path in victim.rglob("*"))
    assert b"secret" not in artifacts(repository)
    assert b"evil" not in artifacts(repository)
    assert "should not happen" not in printed, printed
    names = [f"commit {commit[:7]}" for name, commit in commits.items() if name in refused]
    names.append("experiment theirs")
    lines = printed.splitlines()
    for name in names:
        (line,) = [number for number, line in enumerate(lines) if line == f"  {name}"]
        assert lines[line - 1].startswith("could not be replayed, because "), printed
    assert "its run lacks x, which dvc.yaml here does not declare" in printed
    assert len(tracked_runs(repository.path)) == len(commits) - len(refused)
    assert replay_all().count("run ") == 0, "what has its run is known"


def _named(name: Any) -> Change:
    """Add a parameter with this name."""
    return lambda stages: stages["train"]["params"]["params.yaml"].update({name: 1})


def _listing(repository: Repository, path: str) -> str:
    """Return the md5 of DVC's list of a folder with one file."""
    listed = [{"relpath": path, "md5": repository.cached(b"a picture")}]
    return repository.cached(json.dumps(listed).encode(), ".dir")


@pytest.mark.slow
def test_a_damaged_result_does_not_stop_the_others(repository: Repository) -> None:
    """One line for each damaged result, and no traceback."""
    levels = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10))
    run = "outs:\n- path: reports/run.json\n  hash: md5\n  md5: "
    locks = [
        f"a0: &a0 [x]\n{levels}\nx: *a9\n{run}",
        f"x: {'[' * 100_000}\n{run}",
        f"x: {'- ' * 100_000}\n{run}",
        f"stages: [\n{run}",
        f"stages: 7\n{run}",
        f"stages: {{train: 7, track: 7}}\n{run}",
        f"x: {'y' * lock_file.LARGEST_LOCK_BYTES}\n{run}",
        f"\x00\x01: [\n{run}",
    ]
    damaged = [repository.commit(f"{lock}{number:032x}\n") for number, lock in enumerate(locks)]
    changes: list[Change] = [
        lambda stages: stages["train"].update(deps=7),
        lambda stages: stages["export"].update(outs=[7]),
        lambda stages: stages["export"]["outs"].append({"md5": "0" * 32}),
        lambda stages: stages["export"].update(params={"params.yaml": [7]}),
        *map(_named, ("../../../x", "/x", "x\x1b[31m", "x" * 251, "", ".", 7, "\ud800")),
        lambda stages: stages["export"]["outs"].extend(
            {"path": f"reports/{n:0200}", "md5": "0" * 32} for n in range(50)
        ),
        other_md5(files.ONNX, repository.cached(b"[]", ".dir")),
        other_md5(files.PLOTS, _listing(repository, "é" * 150)),
        other_md5(files.PLOTS, _listing(repository, "\ud800")),
        other_md5(files.PLOTS, _listing(repository, "/".join(["x" * 200] * 30))),
    ]
    damaged += [repository.commit(repository.changed(change), "reports") for change in changes]
    outside = onnx.load(files.ONNX)
    outside.graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL
    outside.graph.initializer[0].external_data.add(key="location", value="../../secret")
    for path, text in (
        (files.METRICS, b"[1]"),
        (files.METRICS, b"[" * 100_000),
        (files.METRICS, b'{"train": {"mse": "x"}}'),
        (files.METRICS, b'{"../../etc/x": 1}'),
        (files.METRICS, b'{"": 1}'),
        (files.METRICS, b'{"\\ud800": 1}'),
        (files.HISTORY, b"epoch,loss\n1,x\n"),
        (files.VERIFICATION, b"[1]"),
        (files.ONNX, b"no ONNX"),
        (files.ONNX, outside.SerializeToString()),
    ):
        kept = path.read_bytes()
        path.write_bytes(text)
        lock = repository.changed(other_md5(path, dvc_md5.of(path)))
        damaged.append(repository.commit(lock, "reports", "models", "data"))
        path.write_bytes(kept)
    good = repository.commit(repository.changed(nothing), "reports", "models", "data")

    printed = replay_all()
    assert "should not happen" not in printed, printed
    assert "the store failed" not in printed, "it is the results' fault"
    assert "run `dvc repro` again" not in printed, "nor is it this disk's"
    assert tempfile.gettempdir() not in printed.replace(str(repository.path), "")
    for commit in damaged:
        assert printed.count(f"commit {commit[:7]}") == 1, printed
    assert f"commit {good[:7]}" not in printed
    runs = tracked_runs(repository.path)
    finished = [run for run in runs if run.status == "FINISHED"]
    assert [run.tags[COMMIT] for run in finished] == [good]
    # What is seen to be damaged before there is a run leaves none.
    assert len(runs) - len(finished) == 2, "the two files that are no ONNX of ours"
    # Nor does it stop the question where something comes from.
    assert good in lookup.lineage_of(str(files.ONNX), job().tracking)
    with pytest.raises(UserError, match=r"^dvc\.lock:6: \*a4 "):
        lookup.lineage_of(damaged[0], job().tracking)
    (repository.path / "dvc.lock").write_bytes(b"\xff\xfe: [")
    assert "should not happen" not in replay_all()


def test_what_waits_for_a_store_reaches_nothing_outside(
    repository: Repository, victim: Path
) -> None:
    """Files, links and names under waiting/; a valid result has its run and is then removed."""
    identity = ids.result(job(), ids.trained_by(files.MODEL).id)
    waiting.keep(identity, provenance.Origin.here(job()))
    (good,) = waiting.results()
    assert good.folder is not None
    folder = good.folder.parent
    before = content(victim)

    def another_one(change: Callable[[dict[str, Any]], None]) -> Path:
        """Make another result that waits, with a changed run.json."""
        changed = json.loads(json.dumps(identity))
        changed["result_id"] = f"{len(list(folder.iterdir())):032x}"
        change(changed)
        place = folder / run_md5(changed)
        shutil.copytree(good.folder or Path(), place)
        files.write_json(place / "run.json", changed)
        return place

    another_one(lambda changed: changed["outs"].update({str(victim / "work"): "0" * 32}))
    another_one(lambda changed: changed["outs"].update({"reports/../../../x": "0" * 32}))
    another_one(lambda changed: changed["outs"].update({str(files.CARD): "ab/../../x"}))
    another_one(lambda changed: changed.update(outs=7))
    another_one(lambda changed: changed.pop("outs"))
    another_one(nothing).joinpath("origin.json").write_text('{"name": 7}')
    another_one(nothing).joinpath("origin.json").write_text("[")
    another_one(nothing).joinpath("run.json").write_text('{"outs": {}}')
    linked = another_one(nothing) / "params.yaml"
    linked.unlink()
    linked.symlink_to(victim / "authorized_keys")
    between = another_one(nothing) / "reports"
    shutil.rmtree(between)
    between.symlink_to(victim / "work")
    for name in ("run.json", "origin.json"):
        pipe = another_one(nothing) / name
        pipe.unlink()
        os.mkfifo(pipe)
    damaged = len(list(folder.iterdir())) - 1
    (folder / "a file").write_text("")
    (folder / ("1" * 32)).write_text("")
    (folder / ("2" * 32)).symlink_to(victim / "work")

    printed = replay_all()
    assert content(victim) == before
    assert b"secret" not in artifacts(repository)
    assert "should not happen" not in printed, printed
    named = [
        line
        for line in printed.splitlines()
        if line.strip().startswith(f"{files.STATE_FOLDER}/waiting/")
    ]
    assert len(named) == damaged + 1
    (run,) = tracked_runs(repository.path)
    assert run.tags["result_id"] == identity["result_id"]
    assert not good.folder.exists(), "it has its run now"
    assert len(list(folder.iterdir())) == damaged + 3, "nothing else was removed"


def test_a_model_names_no_file_to_remove(workspace: Path) -> None:
    """Its training_id becomes the name of a file that is removed."""
    files.MODEL.parent.mkdir()
    right = {"training_id": "a" * 32, "tables": {}}
    for wrong in (
        {"training_id": "../../../precious.json"},
        {"tables": {str(files.TRAIN): "../x"}},
        {"tables": 7},
    ):
        about = json.dumps(right | wrong)
        save_file({"w": np.zeros(1, np.float32)}, files.MODEL, {"abline": about})
        with pytest.raises(UserError, match="not this job's model"):
            ids.trained_by(files.MODEL)

"""Programs use as many threads as they have cores, in a container too."""

import os
from pathlib import Path

import pytest

from pipeline.exact import cores


def share(group: Path, limit: str, period: str = "100000") -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / "cpu.max").write_text(f"{limit} {period}\n")


def test_a_share_of_the_machine_limits_the_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "ours")
    assert cores.available() == 64, "no control groups at all"
    (tmp_path / "ours").write_text("0::/slice/ours\n")
    assert cores.available() == 64
    share(tmp_path / "slice" / "ours", "max")
    assert cores.available() == 64
    share(tmp_path / "slice", "150000")
    assert cores.available() == 2, "one core and a half"
    share(tmp_path / "slice" / "ours", "50000")
    assert cores.available() == 1
    # In a container: the path is the host's, and what is there is the container's own.
    (tmp_path / "ours").write_text("0::/not/here\n")
    share(tmp_path, "300000")
    assert cores.available() == 3
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5}, raising=False)
    assert cores.available() == 1


def test_control_groups_of_the_first_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "ours")
    (tmp_path / "ours").write_text("4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/\n")
    group = tmp_path / "cpu,cpuacct" / "docker" / "1"
    group.mkdir(parents=True)
    for name, text in (("quota", "-1"), ("period", "100000")):
        (group / f"cpu.cfs_{name}_us").write_text(text)
    assert cores.available() == 64
    (group / "cpu.cfs_quota_us").write_text("250000\n")
    assert cores.available() == 3

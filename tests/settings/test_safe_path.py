"""Paths and md5s that somebody else wrote."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import safe_path
from pipeline.settings.errors import UserError

OUTSIDE = [
    "/etc/passwd",
    "..",
    "../secret",
    "reports/../../secret",
    "reports/..",
    "reports\\..\\..\\secret",
    "\\secret",
    "C:/secret",
    "c:secret",
    "//host/share",
    "reports/a\0b",
    "reports/a\nb",
    "reports/a\u202eb",
    "",
    ".",
    "./",
    "reports/\ud800",
    f"reports/{'é' * 128}",
    None,
    7,
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_could_lead_outside_is_refused(path: Any) -> None:
    with pytest.raises(UserError, match=r"^dvc\.lock names "):
        safe_path.check(path, "dvc.lock")


@pytest.mark.parametrize("path", ["reports/plots", "models/model.onnx", "a b/é #;$&[*.csv", "-x"])
def test_a_path_below_is_taken(path: str) -> None:
    assert safe_path.check(path, "dvc.lock") == path


def test_a_path_does_not_lead_outside_through_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "out").symlink_to(tmp_path)
    (root / "in").symlink_to(root / "real")
    (root / "loop").symlink_to(root / "loop")
    for path in ("out", "out/file", "in/../../file", "loop", "loop/file"):
        with pytest.raises(UserError):
            safe_path.below(root, path, "dvc.lock")
    assert safe_path.below(root, "in/file", "dvc.lock") == root / "in/file"

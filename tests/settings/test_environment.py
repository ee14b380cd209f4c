"""Only the pinned packages compute a result."""

from pathlib import Path

import pytest

from pipeline.settings import environment
from pipeline.settings.errors import UserError


def test_other_versions_than_the_pinned_ones(tmp_path: Path) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("# made by hand\ntorch==2.0.1\nNumPy==1.0\nnot_here==3\npyyaml>=1\n")
    with pytest.raises(UserError) as caught:
        environment.check(pins)
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("would not give the promised bytes. Installed:")
    assert [line.split(", ")[1] for line in lines[1:3]] == ["pinned: 2.0.1", "pinned: 1.0"]
    assert "pip install -r" in lines[3]


def test_a_build_tag_is_no_other_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a_package-1.2+cu130.dist-info").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    pins = tmp_path / "requirements.txt"
    pins.write_text("A.Package==1.2\n")
    environment.check(pins)
    pins.write_text("A.Package==1.3\n")
    with pytest.raises(UserError, match=r"A.Package 1.2\+cu130, pinned: 1.3"):
        environment.check(pins)

"""`make report` says where the report is, and opens it where there is a screen."""

import webbrowser
from pathlib import Path

import pytest

from pipeline import open_report
from pipeline.settings import files


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return the addresses that a browser was asked to open, in a folder with a report."""
    monkeypatch.chdir(tmp_path)
    files.write_bytes(files.REPORT, b"<!doctype html>")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("sys.argv", ["open_report"])
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    return addresses


def test_a_machine_without_a_screen_is_told_where_the_report_is(
    opened: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_report.main()
    assert capsys.readouterr().out == f"{tmp_path}/reports/report.html\n"
    assert opened == [], "a browser of texts would take the terminal"


def test_where_there_is_a_screen_the_browser_opens_it(
    opened: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    open_report.main()
    assert opened == [f"file://{tmp_path}/reports/report.html"]


def test_without_a_report_the_command_that_makes_it_is_said(
    opened: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files.REPORT.unlink()

    def leave(status: int = 0) -> None:
        raise SystemExit(status)

    monkeypatch.setattr("pipeline.settings.runner.leave", leave)
    with pytest.raises(SystemExit):
        open_report.main()
    told = capsys.readouterr().err
    assert told == "error: reports/report.html: there is no such file; `dvc repro` makes it\n"

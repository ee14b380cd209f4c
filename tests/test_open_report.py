"""`make report` says where the report is, and opens it where there is a screen."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment

from pipeline import open_report
from pipeline.settings import files

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


def opened(**screen: str) -> "subprocess.CompletedProcess[str]":
    """Run the program on a machine without a screen, except for the variables given."""
    variables = {name: value for name, value in environment().items() if name not in SCREENS}
    command = [sys.executable, "-m", "pipeline.open_report"]
    return subprocess.run(command, env=variables | screen, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="has a screen always")
def test_a_machine_without_a_screen_is_told_where_the_report_is(workspace: Path) -> None:
    files.write_bytes(files.REPORT, b"<!doctype html>")
    # A browser that would be found: one of texts would take the terminal.
    browser = a_browser(workspace / "www-browser")
    told = opened(PATH=f"{workspace}:{environment()['PATH']}")
    assert told.stdout == f"{workspace}/reports/report.html\n"
    assert (told.returncode, told.stderr) == (0, "")
    assert not browser.with_suffix(".opened").exists()


def test_where_there_is_a_screen_the_browser_opens_it(workspace: Path) -> None:
    files.write_bytes(files.REPORT, b"<!doctype html>")
    browser = a_browser(workspace / "browser")
    assert opened(BROWSER=f"{browser} %s").returncode == 0
    assert browser.with_suffix(".opened").read_text() == files.REPORT.absolute().as_uri()


def a_browser(path: Path) -> Path:
    """Write a program that notes the address it is to open; return its path."""
    path.write_text('#!/bin/sh\nprintf %s "$1" > "$0.opened"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("name", SCREENS)
def test_each_variable_of_a_screen_is_known(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for each in SCREENS:
        monkeypatch.delenv(each, raising=False)
    assert not open_report.has_screen()
    monkeypatch.setenv(name, ":0")
    assert open_report.has_screen()


def test_without_a_report_the_command_that_makes_it_is_said(workspace: Path) -> None:
    missing = opened()
    told = "error: reports/report.html: there is no such file; `dvc repro` makes it\n"
    assert (missing.returncode, missing.stderr) == (1, told)

"""A result whose store fails is kept, and its user is warned once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import job

from pipeline.results import waiting
from pipeline.results.provenance import Origin
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tracking import completion, delivery, store_check
from pipeline.tracking.result import Result
from pipeline.tracking.store_failures import REPLAY_LATER

IDENTITY: Mapping[str, Any] = {"outs": {}, "params": {}, "training_id": "0" * 32}
TROUBLE = files.STATE_FOLDER / "trouble" / str(IDENTITY["training_id"])


def deliver() -> None:
    result = cast(Result, None)  # what records it is replaced
    delivery.record_or_keep(job().tracking, IDENTITY, result, Origin(name="", commit=None))


def fail(*_: object) -> str:
    raise UserError("the store is away")


def test_a_result_that_is_recorded_is_not_kept(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(completion, "record", lambda *_: "run completed: a name")
    deliver()
    assert capsys.readouterr().out == "run completed: a name\n"
    assert list(waiting.results()) == []


@pytest.mark.parametrize("has_warned", [False, True])
def test_a_result_is_kept_and_the_warning_comes_once(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_warned: bool,
) -> None:
    files.write_json(TROUBLE, {"waited": 0.1, "warned": has_warned})
    monkeypatch.setattr(completion, "record", fail)
    deliver()
    printed = capsys.readouterr()
    warning = f"warning: the store is away. The result is whole{REPLAY_LATER}\n"
    later = f"run not written yet{REPLAY_LATER}\n"
    assert (printed.out, printed.err) == ((later, "") if has_warned else ("", warning))
    assert len(list(waiting.results())) == 1
    assert not TROUBLE.exists(), "the next training has trouble of its own"


def test_a_store_that_kept_the_training_waiting_gets_less_time(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five seconds in all, and never less than one for a store that works."""
    asked: list[float] = []

    def within(seconds: float, *_: object) -> str:
        asked.append(seconds)
        return ""

    monkeypatch.setattr(delivery, "within", within)
    for waited in (None, 2.0, 60.0):
        if waited is not None:
            files.write_json(TROUBLE, {"waited": waited, "warned": False})
        deliver()
    total = 2 * store_check.SECONDS_TO_WAIT
    assert asked == [total, total - 2.0, 1.0]


def test_a_damaged_note_of_the_training_is_no_trouble(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TROUBLE.parent.mkdir(parents=True)
    TROUBLE.write_text("[")
    monkeypatch.setattr(completion, "record", lambda *_: "")
    deliver()

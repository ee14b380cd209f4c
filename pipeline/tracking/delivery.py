"""Delivery of a result to its store: recorded now, or kept until the store works again."""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pipeline.results import waiting
from pipeline.results.provenance import Origin
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking
from pipeline.tracking import completion, store_check
from pipeline.tracking.result import Result
from pipeline.tracking.store_address import address, shown
from pipeline.tracking.store_check import SECONDS_OF_WORK, SECONDS_TO_WAIT, within
from pipeline.tracking.store_failures import cure
from pipeline.tracking.wire import milliseconds


def record_or_keep(
    settings: Tracking, identity: Mapping[str, Any], result: Result, origin: Origin
) -> None:
    """Complete the run of the result in this folder, or keep the result and print a warning.

    If the training has waited for the store, the time is shorter; if it has warned, that is enough.
    """
    seconds_waited, has_warned = _trouble_of_training(identity["training_id"])
    try:
        print(_recorded(settings, result, origin, 2 * SECONDS_TO_WAIT - seconds_waited))
    except (UserError, OSError) as error:
        waiting.keep(identity, replace(origin, time=origin.time or milliseconds()))
        if has_warned:  # the training has said what is wrong
            print(f"run not written yet{cure(error)}")
        else:
            print(
                f"warning: {runner.message(error)}. The result is whole{cure(error)}",
                file=sys.stderr,
            )


def _trouble_of_training(training_id: str) -> tuple[float, bool]:
    """Return the seconds that the training waited for its store, and True if it warned; once."""
    path = files.root() / files.STATE_FOLDER / "trouble" / training_id
    trouble: dict[str, Any] = {"waited": 0.0, "warned": False}
    with suppress(OSError, ValueError):
        trouble = json.loads(path.read_bytes())
        path.unlink()
    return trouble["waited"], trouble["warned"]


def _recorded(settings: Tracking, result: Result, origin: Origin, seconds: float) -> str:
    """Complete the run. Only a database that answers may take more than `seconds`.

    Raises UserError if another store takes longer, and the errors of `completion.record`.
    """

    def more() -> float:
        store_check.check_at_work()
        return SECONDS_OF_WORK

    try:
        # In a thread, because MLflow may hang for minutes; `runner.leave` does not wait for it.
        return within(max(seconds, 1.0), lambda: completion.record(settings, result, origin), more)
    except TimeoutError:
        raise UserError(f"the tracking store {shown(address())} is too slow") from None

"""Stage `track`: make the MLflow run of this result complete.

Reads   all that the stages before it wrote
Writes  reports/run.json, the identity of the result, and the MLflow run
"""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pipeline.results import waiting
from pipeline.results.place import run_md5
from pipeline.results.provenance import Origin
from pipeline.settings import files, ids, inputs, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count
from pipeline.settings.params import Params
from pipeline.tracking import completion, result, store_check
from pipeline.tracking.store_address import address, shown
from pipeline.tracking.store_check import SECONDS_OF_WORK, SECONDS_TO_WAIT, within
from pipeline.tracking.store_failures import cure


def main(params: Params) -> None:
    """Record the result of this folder, or keep it until the store works again."""
    identity = ids.result(params, ids.trained_by(files.MODEL))
    recorded = result.read(Path(), identity, run_md5(identity))
    origin = Origin.here(params)
    inputs.check()  # before MLflow has the run
    trouble = files.root() / files.STATE_FOLDER / "trouble" / identity["training_id"]
    before = {"waited": 0.0, "warned": False}
    with suppress(OSError, ValueError):
        before = json.loads(trouble.read_bytes())
        trouble.unlink()
    try:
        done = _within(
            2 * SECONDS_TO_WAIT - before["waited"],
            lambda: completion.record(params.tracking, recorded, origin),
        )
        print(done)
    except (UserError, OSError) as error:
        waiting.keep(identity, origin)
        if before["warned"]:  # the training has said what is wrong
            print(f"run not written yet{cure(error)}")
        else:
            print(
                f"warning: {runner.message(error)}. The result is whole{cure(error)}",
                file=sys.stderr,
            )
    files.write_json(files.RUN, identity)


def _within(seconds: float, work: Callable[[], str]) -> str:
    """Return the result of `work`. Only a database that answers may take more than `seconds`.

    Raises UserError if another store takes longer, and whatever `work` raises.
    """

    def more() -> float:
        store_check.check_at_work()
        return SECONDS_OF_WORK

    try:
        # In a thread, because MLflow may hang for minutes; `runner.leave` does not wait for it.
        return within(max(seconds, 1.0), work, more)
    except TimeoutError:
        raise UserError(f"the tracking store {shown(address())} is too slow") from None


def command() -> None:
    """Track the result in this folder or all results, or look one up."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.track",
        description=f"{__doc__}\nWithout options it is the stage, which `dvc repro` runs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options = parser.add_mutually_exclusive_group()
    options.add_argument(
        "--all",
        action="store_true",
        help="make the runs that are missing: of every result of this folder, of the branch's"
        " commits and of DVC's experiments, from git and DVC's cache",
    )
    options.add_argument(
        "--find",
        metavar="WHAT",
        help="show what made a result, and how to make it again: a run's id or name, an"
        " experiment, a commit, or the path of an .onnx file",
    )
    arguments = parser.parse_args()
    if not (arguments.all or arguments.find):
        runner.run(main)
    with runner.program(again="this command"):
        settings = params_yaml.load().tracking
        if arguments.all:
            # Imported here: the stage needs neither, and is to start fast.
            from pipeline.tracking import replay

            lines, known = replay.replay_missing(settings, everything=True)
            print(*lines, f"{count(known, 'result')} had a run already", sep="\n")
        else:
            from pipeline.tracking import lookup

            print(lookup.find(arguments.find, settings))


if __name__ == "__main__":
    command()

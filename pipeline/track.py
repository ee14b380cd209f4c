"""Stage `track`: make the MLflow run of this result complete.

Reads   all that the stages before it wrote
Writes  reports/run.json, the identity of the result, and the MLflow run
"""

import argparse
from pathlib import Path

from pipeline.results.place import run_md5
from pipeline.results.provenance import Origin
from pipeline.settings import files, ids, inputs, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.messages import count
from pipeline.settings.params import Params
from pipeline.tracking import delivery, result


def main(params: Params) -> None:
    """Record the result of this folder, or keep it until the store works again."""
    identity = ids.result(params, ids.trained_by(files.MODEL).id)
    recorded = result.read(Path(), identity, run_md5(identity))
    origin = Origin.here(params)
    inputs.check()  # before MLflow has the run
    delivery.record_or_keep(params.tracking, identity, recorded, origin)
    files.write_json(files.RUN, identity)


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
        metavar="NAME",
        help="show the lineage of a result, and how to make it again: a run's id or name, an"
        " experiment, a commit, or the path of an .onnx file",
    )
    arguments = parser.parse_args()
    if not (arguments.all or arguments.find):
        runner.run(main)
    with runner.program(again="this command"):
        settings = params_yaml.load().tracking
        if arguments.all:
            # Imported here: the stage needs neither module, and starts faster.
            from pipeline.tracking import replay

            lines, others = replay.replay_missing(settings, everything=True)
            print(*lines, f"{count(others, 'result')} had a run already", sep="\n")
        else:
            from pipeline.tracking import lookup

            print(lookup.lineage_of(arguments.find, settings))


if __name__ == "__main__":
    command()

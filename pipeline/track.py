"""Stage `track`: make the MLflow run of this result complete.

Reads   all that the stages before it wrote
Writes  reports/run.json, the identity of the result, and the MLflow run
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from mlflow.entities import Dataset

from pipeline.settings import environment, files, ids, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count
from pipeline.settings.params import Params
from pipeline.tracking import completion, results, store
from pipeline.tracking.completion import Result
from pipeline.tracking.live import SECONDS_OF_WORK, SECONDS_TO_WAIT, later
from pipeline.tracking.provenance import Origin
from pipeline.tracking.store_address import address, shown
from pipeline.tracking.store_check import within

# What a client needs to answer with the model: no torch.
SERVING = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")


def main(params: Params) -> None:
    """Read the result from its files and record it, or keep it for when the store is well again."""
    identity = ids.result(params, ids.trained_by(files.MODEL))
    result = read_result(Path(), identity, results.md5(identity))
    origin = Origin.here(params)
    trouble = files.root() / files.OURS / "trouble" / identity["training_id"]
    before = {"waited": 0.0, "warned": False}
    with suppress(OSError, ValueError):
        before = json.loads(trouble.read_bytes())
        trouble.unlink()
    try:
        told = _within(
            2 * SECONDS_TO_WAIT - before["waited"],
            lambda: completion.record(params.tracking, result, origin),
        )
        print(told)
    except (UserError, OSError) as error:
        results.keep(identity, origin)
        if before["warned"]:  # the training has said what is wrong
            print(f"run not written yet{later(error)}")
        else:
            print(
                f"warning: {runner.told(error)}. The result is whole{later(error)}", file=sys.stderr
            )
    files.write_json(files.RUN, identity)


def _within(seconds: float, work: Callable[[], str]) -> str:
    """Result of `work`. Only a database that answers may exceed `seconds`.

    Raises UserError if it does, and whatever `work` raises.
    """

    def more() -> float:
        store.check_at_work()
        return SECONDS_OF_WORK

    try:
        # In a thread, because MLflow may hang for minutes; `stage.leave` does not wait for it.
        return within(max(seconds, 1.0), work, more)
    except TimeoutError:
        raise UserError(f"the tracking store {shown(address())} is too slow") from None


def read_result(
    folder: Path, identity: Mapping[str, Any], md5: str, missing: Sequence[str] = ()
) -> Result:
    """Read the files of a result into what a run shows.

    md5: that of its run.json; missing: outputs that are not in `folder`.
    Raises LackingError if its figures or its losses are among them.
    """
    if lacks := {str(files.METRICS), str(files.HISTORY)} & set(missing):
        raise results.LackingError(f"{' and '.join(sorted(lacks))} is not at hand")
    here = {path for path in identity["outs"] if path not in missing}
    metrics = json.loads((folder / files.METRICS).read_text(encoding="utf-8"))
    onnx_file = (folder / files.ONNX).read_bytes() if str(files.ONNX) in here else None
    verified = False
    if onnx_file is not None and str(files.VERIFICATION) in here:
        told = json.loads((folder / files.VERIFICATION).read_bytes())
        verified = told.get("model_md5") == identity["outs"][str(files.ONNX)]
    targets = identity["params"]["data.targets"]
    example = (
        _first_query(folder / files.PREDICTIONS, targets) if str(files.PREDICTIONS) in here else []
    )
    reports = (path for path in (*identity["outs"],) if path in here and is_report(path))
    return Result(
        identity=identity,
        md5=md5,
        losses=[
            (
                int(row["epoch"]),
                float(row["loss"]),
                float(row["test_loss"]) if "test_loss" in row else None,
            )
            for row in files.read_csv(folder / files.HISTORY)
        ],
        metrics=dict(flatten(metrics)),
        folder=folder,
        artifacts=[
            path for path in (params_yaml.PATH, *map(Path, reports)) if (folder / path).exists()
        ],
        onnx_file=onnx_file,
        contract=((folder / files.CONTRACT).read_bytes() if str(files.CONTRACT) in here else None),
        example=example,
        verified=verified,
        requirements=pins(folder / environment.REQUIREMENTS, SERVING),
        data={
            context: described
            for context, path in (("training", files.TRAIN), ("test", files.TEST))
            if str(path) in identity["outs"]
            and (described := dataset(folder, path, identity["outs"][str(path)])) is not None
        },
        missing=missing,
    )


def _first_query(predictions: Path, targets: Sequence[str]) -> list[float]:
    """The features of the first query in predictions.csv; none if there is no query."""
    with predictions.open(newline="", encoding="utf-8") as file:
        header, *rows = islice(map(files.restored, csv.reader(file)), 2)
    # The columns after the features may be empty: no interval exists without degrees of freedom.
    return [float(value) for row in rows for value in row[: header.index(targets[0])]]


def is_report(out: str) -> bool:
    """Whether a run keeps an output: data stay out of the store, the model has its own place."""
    return Path(out).parts[0] == "reports" or out == str(files.CONTRACT)


def flatten(nested: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """Dotted names and numbers; what is null has no value to log."""
    flat: list[tuple[str, float]] = []
    for key, value in nested.items():
        if isinstance(value, dict):
            flat += flatten(value, f"{prefix}{key}.")
        elif value is not None:
            flat.append((prefix + key, float(value)))
    return flat


def dataset(folder: Path, path: Path, md5: str) -> Dataset | None:
    """A table of the result as MLflow describes datasets, by our own digest; None if it is empty.

    What is not at hand is described by its digest alone.
    """
    about: dict[str, str] = {}
    if (folder / path).exists():
        with pq.ParquetFile(folder / path) as found:
            rows, names = found.metadata.num_rows, found.schema_arrow.names
        if not rows:
            return None
        columns = [{"type": "double", "name": name, "required": True} for name in names]
        about["schema"] = json.dumps({"mlflow_colspec": columns})
        about["profile"] = json.dumps({"num_rows": rows, "num_elements": rows * len(names)})
    source = json.dumps({"uri": str(path)})
    return Dataset(name=path.name, digest=md5, source_type="local", source=source, **about)


def pins(requirements: Path, names: tuple[str, ...]) -> list[str]:
    """The lines of a requirements.txt for `names`."""
    if not requirements.exists():
        return []
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in names]


def command() -> None:
    """Track the result in this folder, or all there are, or find one."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.track",
        description=f"{__doc__}\nWithout options it is the stage, which `dvc repro` runs.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--all",
        action="store_true",
        help="see that every result of this folder, of the branch's commits and of DVC's"
        " experiments has its run; those that it lacks are replayed from git and DVC's cache",
    )
    what.add_argument(
        "--find",
        metavar="WHAT",
        help="tell what made a result, and how to make it again: a run's id or name, an"
        " experiment, a commit, or the path of an .onnx file",
    )
    asked = parser.parse_args()
    if not (asked.all or asked.find):
        runner.run(main)
    with runner.program(again="this command"):
        if asked.all:
            from pipeline.tracking.replay import catch_up

            news, known = catch_up(params_yaml.load().tracking, everything=True)
            print(*news, f"{count(known, 'result')} had a run already", sep="\n")
        else:
            from pipeline.tracking.lookup import find

            print(find(asked.find, params_yaml.load().tracking))


if __name__ == "__main__":
    command()

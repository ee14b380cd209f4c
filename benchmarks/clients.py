"""Time the clients beside onnxruntime and NumPy alone: `python benchmarks/clients.py`.

One model of eight features, exported by the pipeline as it does by default, and with all outputs
there are (onnxruntime computes them all, also where one is asked for). In one process, in turn,
over several rounds: one row by `InferenceSession.run` and by the Python client with all checks; a
million rows by NumPy's `X @ W + b` in float32 and by the client, with checks and without. Then
`pipeline.predict` as a process of its own, imports included, from Parquet to Parquet. Then how many
golden vectors each client answers within their bounds, and how many to the last bit. The result is
the ratio within a round, because the machine's own speed changes from minute to minute.

A model of raw columns, seven numbers and three texts of 20 levels: one row as a record through the
client with all checks, beside `InferenceSession.run` of the same arrays, and beside the pipeline of
scikit-learn (OneHotEncoder, LinearRegression) that answers a frame of one row.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from rounds import PEAK, ROOT, arguments, summary, turns
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from pipeline import evaluate, export, generate, train
from pipeline.settings import params

FEATURES = [f"x{number}" for number in range(8)]
RAW_NUMBERS, RAW_TEXTS = FEATURES[:7], ["c0", "c1", "c2"]
LEVELS = np.array([f"level {number:02}" for number in range(20)])
JOBS = {"prediction": ["prediction"], "all": ["prediction", "interval", "in_range"]}

PREDICT = """
import pathlib, sys
from abline_client import load
from pipeline.answers import answers, rows_to_answer
rows, out = map(pathlib.Path, sys.argv[1:])
model = load("models")
answers.write(model, rows_to_answer.opened(model, rows), out)
print(peak())
"""
CONFORMANCE = """
import { load } from "./dist/node.js";
console.log(JSON.stringify(await (await load(process.argv[1])).conformance()));
"""


def raw_rows(rows: int) -> pa.Table:
    """Return rows of raw columns."""
    draws = np.random.default_rng(0)
    columns: dict[str, Any] = {
        name: draws.standard_normal(rows).astype(np.float32) for name in RAW_NUMBERS
    }
    for name in RAW_TEXTS:
        codes = pa.array(draws.integers(0, len(LEVELS), rows))
        columns[name] = pa.DictionaryArray.from_arrays(codes, LEVELS).cast(pa.string())
    return pa.table(columns)


def make(folder: Path, outputs: list[str], raw: pa.Table | None = None) -> None:
    """Write models/ of a job with eight features into `folder`, or of one with raw columns."""
    folder.mkdir()
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"]["features"] = FEATURES
    values["data"]["generate"] |= {"x": None, "rows": 10_000, "weight": None, "noise": 0.5}
    if raw is not None:
        (folder / "data/raw").mkdir(parents=True)
        pq.write_table(raw, folder / "data/raw/rows.parquet")
        kinds = dict.fromkeys(RAW_NUMBERS, "number") | dict.fromkeys(RAW_TEXTS, "category")
        values["data"] |= {"source": "data/raw/rows.parquet", "features": kinds}
    values["train"]["optimizer"] = "exact"
    values["evaluate"]["queries"] = []
    values["export"]["outputs"] = outputs
    for name in ("dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "pipeline", folder / "pipeline")
    with chdir(folder):
        for stage in (generate, train, evaluate, export):
            stage.main(params.parse(yaml.safe_dump(values)))


def seconds(work: Callable[[], object], times: int) -> float:
    """Return the mean seconds of `work`, called `times` times in a row."""
    begin = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begin) / times


def in_process(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, by the calls that took them."""
    model = abline_client.load(folder / "models")
    session = onnxruntime.InferenceSession(
        folder / "models/model.onnx", providers=["CPUExecutionProvider"]
    )
    draws = np.random.default_rng(0)
    row = draws.standard_normal((1, 8)).astype(np.float32)
    rows = draws.standard_normal((1_000_000, 8)).astype(np.float32)
    weight, bias = rows[:8, :1].copy(), rows[0, :1].copy()
    sides: dict[str, tuple[Callable[[], object], int]] = {
        "InferenceSession.run": (lambda: session.run(["y"], {"x": row}), 5000),
        "one row": (lambda: model.predict(row), 5000),
        "X @ W + b": (lambda: rows @ weight + bias, 20),
        "unchecked": (lambda: model.predict(rows, check=False), 20),
        "checked": (lambda: model.predict(rows), 20),
    }
    return in_turns(sides, rounds)


def raw_row(folder: Path, training: pa.Table, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round to answer one raw row, by the calls that took them."""
    model = abline_client.load(folder / "models")
    session = onnxruntime.InferenceSession(
        folder / "models/model.onnx", providers=["CPUExecutionProvider"]
    )
    (record,) = training.slice(0, 1).drop_columns("y").to_pylist()
    feed = {
        name: np.array([value], object if isinstance(value, str) else np.float32)
        for name, value in record.items()
    }
    peer = make_pipeline(
        make_column_transformer((OneHotEncoder(), RAW_TEXTS), remainder="passthrough"),
        LinearRegression(),
    )
    table = pd.DataFrame(training.to_pydict())
    peer.fit(table[RAW_NUMBERS + RAW_TEXTS], table["y"])
    frame = table[RAW_NUMBERS + RAW_TEXTS].head(1)
    sides: dict[str, tuple[Callable[[], object], int]] = {
        "InferenceSession.run": (lambda: session.run(["y"], feed), 2000),
        "client": (lambda: model.predict([record]), 2000),
        "scikit-learn": (lambda: peer.predict(frame), 50),
    }
    return in_turns(sides, rounds)


def in_turns(
    sides: Mapping[str, tuple[Callable[[], object], int]], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each round by side. sides: a call, and how often to make it."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in turns(sides, number):
            times[name].append(seconds(*sides[name]))
    return times


def streamed(folder: Path, rows: int, raw: bool = False) -> tuple[float, float]:
    """Run `pipeline.predict`; return the rows a second of the whole process, and its peak MB."""
    path = folder / f"{rows}.parquet"
    if not path.exists() and raw:
        part = raw_rows(100_000)
        with pq.ParquetWriter(path, part.schema) as file:
            for written in range(0, rows, part.num_rows):
                file.write_table(part.slice(0, rows - written))
    if not path.exists():
        draws = np.random.default_rng(0)
        schema = pa.schema([(name, pa.float32()) for name in FEATURES])
        with pq.ParquetWriter(path, schema) as file:
            for _ in range(0, rows, 100_000):
                part = draws.standard_normal((8, min(rows, 100_000))).astype(np.float32)
                file.write_table(pa.table(list(part), schema=schema))
    begin = time.perf_counter()
    peak = subprocess.check_output(
        [sys.executable, "-c", PEAK + PREDICT, str(path), str(folder / "out.parquet")],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        text=True,
    )
    return rows / (time.perf_counter() - begin), float(peak)


def in_node(work: Path, folders: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Return the JavaScript client's `conformance` for each model; an empty dict without npm."""
    if shutil.which("npm") is None:
        return {}
    place = work / "javascript"
    skipped = shutil.ignore_patterns("node_modules", "dist", "site")
    shutil.copytree(ROOT / "clients/javascript", place, ignore=skipped)
    for command in (["npm", "ci", "--no-audit", "--no-fund"], ["npm", "run", "build"]):
        subprocess.run(command, cwd=place, stdout=sys.stderr, check=True)
    node = ["node", "--input-type=module", "--eval", CONFORMANCE]
    return {
        name: json.loads(subprocess.check_output([*node, str(folder / "models")], cwd=place))
        for name, folder in folders.items()
    }


def main() -> None:
    """Measure and print Markdown tables."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--rows", type=int, default=10_000_000, help="to stream (10,000,000)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folders = {name: Path(work) / name for name in JOBS}
        for name, folder in folders.items():
            make(folder, JOBS[name])
        rounds = range(max(1, asked.rounds))
        by_outputs = {name: in_process(folder, len(rounds)) for name, folder in folders.items()}
        sizes = (asked.rows // 10, asked.rows)
        streams = {
            (name, rows): [streamed(folder, rows) for _ in rounds]
            for name, folder in folders.items()
            for rows in sizes
        }
        python = {
            name: abline_client.load(folder / "models").conformance()
            for name, folder in folders.items()
        }
        node = in_node(Path(work), folders)
        raw_folder, training = Path(work) / "raw", raw_rows(10_000)
        noise = np.random.default_rng(1).standard_normal(training.num_rows)
        training = training.append_column("y", pa.array(noise))
        make(raw_folder, ["prediction"], training)
        raw_times = raw_row(raw_folder, training, len(rounds))
        for rows in sizes:
            streams["raw columns", rows] = [streamed(raw_folder, rows, raw=True) for _ in rounds]

    print("\n| the Python client | outputs | beside | ratio | range |\n|---|---|---|---|---|")
    for outputs, times in by_outputs.items():
        for name, beside, label in (
            ("one row", "InferenceSession.run", "one row, checked"),
            ("unchecked", "X @ W + b", "10⁶ × 8, unchecked"),
            ("checked", "X @ W + b", "10⁶ × 8, checked"),
        ):
            ratios = [a / b for a, b in zip(times[name], times[beside], strict=True)]
            print(f"| {label} | {outputs} | `{beside}` | {summary(ratios)} |")

    for beside in ("InferenceSession.run", "scikit-learn"):
        ratios = [a / b for a, b in zip(raw_times["client"], raw_times[beside], strict=True)]
        shown = summary(ratios, lambda ratio: f"{ratio:.3g}")
        print(f"| one raw row × 10, checked | prediction | `{beside}` | {shown} |")

    print("\n| `pipeline.predict`, rows × 8 | outputs | rows a second | range | peak memory, MB |")
    print("|---|---|---|---|---|")
    for (outputs, rows), figures in streams.items():
        speeds, peaks = zip(*figures, strict=True)
        speed = summary(speeds, lambda each: f"{each:,.0f}")
        print(f"| {rows:,} | {outputs} | {speed} | {statistics.median(peaks):.0f} |")

    print("\n| golden vectors | outputs | within their bounds | bit-equal |\n|---|---|---|---|")
    for outputs, here in python.items():
        print(f"| Python | {outputs} | {here.within} of {here.vectors} | {here.bit_equal} |")
    for outputs, conformance in node.items():
        within = f"{conformance['within']} of {conformance['vectors']}"
        print(f"| Node | {outputs} | {within} | {conformance['bitEqual']} |")


if __name__ == "__main__":
    main()

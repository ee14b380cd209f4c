"""Time a table of many rows from Parquet to a verified ONNX file, beside a plain script.

Ours is `dvc repro` in a fresh clone of HEAD: five stages, a tracked run, a proof of the file.
benchmarks/plain/whole.py reads the same file with pandas, fits scikit-learn's LinearRegression,
measures it, writes an ONNX file and logs both to MLflow. DVC's own work, hashing the table and
copying what the stages write into its cache, is in the time. Peak memory is the process's, imports
included.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from against_plain import environment, run
from rounds import ROOT, arguments, summary, turns
from shipped_tables import FOLDER, install

MEASURED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
print(done.stdout)
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(done.returncode)
"""
"""Program that runs a command and prints the peak memory of its largest process, in MB."""

STAGES = ("generate", "train", "evaluate", "export")


def make(path: Path, rows: int, columns: int) -> None:
    """Write a table of normal numbers; the last column, y, is a line of the others plus noise."""
    draws = np.random.default_rng(0)
    names = [*(f"x{number}" for number in range(columns - 1)), "y"]
    weight = draws.standard_normal(columns - 1)
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema, compression="NONE", use_dictionary=False) as file:
        for begin in range(0, rows, 1_000_000):
            x = draws.standard_normal((min(1_000_000, rows - begin), columns - 1))
            y = x @ weight + draws.standard_normal(len(x))
            file.write_table(pa.table([*x.T, y], schema=schema))


def clone(work: Path, table: Path, keep_rows: bool) -> Path:
    """Return a fresh clone with the settings for this table."""
    folder = Path(tempfile.mkdtemp(dir=work))
    run(work, "git", "clone", "--quiet", str(ROOT), str(folder))
    (folder / "data/raw/table.parquet").hardlink_to(table)
    settings = (folder / "params.yaml").read_text()
    for key, value in {
        "source": "data/raw/table.parquet",
        "features": "[]",
        "test_fraction": "0.2",
        "keep_rows": str(keep_rows).lower(),
        "optimizer": "exact",
        "queries": "[]",
    }.items():
        settings, count = re.subn(rf"(?m)^(  {key}:) \S.*?(?=\s+#|$)", rf"\1 {value}", settings)
        assert count == 1, f"params.yaml: {key}"
    (folder / "params.yaml").write_text(settings)
    return folder


def timed(folder: Path, *command: str) -> tuple[float, float]:
    """Run a command; return its seconds and the peak MB of its largest process."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command],
        cwd=folder,
        env=environment() | {"PYTHONPATH": str(FOLDER)},  # skl2onnx
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stdout}")
    return seconds, float(done.stdout.rpartition("peak")[2])


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the table (10,000,000)")
    parser.add_argument("--columns", type=int, default=8, help="of the table (8)")
    asked = parser.parse_args()
    install()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        table = work / "table.parquet"
        make(table, asked.rows, asked.columns)
        sides = {"plain script": None, "dvc repro": True, "dvc repro, keep_rows: false": False}
        runs: dict[str, list[tuple[float, float]]] = {side: [] for side in sides}
        stages: dict[str, tuple[float, float]] = {}
        for number in range(max(1, asked.rounds)):
            for side in turns(sides, number):
                keep_rows = sides[side]
                if keep_rows is None:
                    command = [sys.executable, str(ROOT / "benchmarks/plain/whole.py"), str(table)]
                    (work / "plain").mkdir(exist_ok=True)
                    runs[side].append(timed(work / "plain", *command))
                    continue
                folder = clone(work, table, keep_rows)
                runs[side].append(timed(folder, "dvc", "repro"))
                if keep_rows and not stages:
                    for stage in STAGES:
                        command = [sys.executable, "-m", f"pipeline.{stage}"]
                        stages[stage] = timed(folder, *command)
                run(work, "rm", "-rf", str(folder))
            print(f"round {number + 1} of {asked.rounds}", file=sys.stderr)
        print(f"{asked.rows:,} × {asked.columns} float64, {table.stat().st_size / 1e6:,.0f} MB\n")
        print("| | time, s | beside the script | range | peak memory, MB |\n|---|---|---|---|---|")
        for side, figures in runs.items():
            beside = [a[0] / b[0] for a, b in zip(figures, runs["plain script"], strict=True)]
            seconds, megabytes = sorted(figures)[len(figures) // 2]
            print(f"| {side} | {seconds:.1f} | {summary(beside)} | {megabytes:,.0f} |")
        print("\n| stage | time, s | peak memory, MB |\n|---|---|---|")
        for stage, (seconds, megabytes) in stages.items():
            print(f"| {stage} | {seconds:.1f} | {megabytes:,.0f} |")


if __name__ == "__main__":
    main()

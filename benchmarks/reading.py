"""Time stage generate on a user's CSV, and plain pyarrow, in turn: `python benchmarks/reading.py`.

Plain is the usual code: pyarrow.csv.read_csv and pyarrow.parquet.write_table of the whole
table. It looks at no value, holds out no row, and has all in memory. Ours is generate's own `main`:
read in blocks, every value checked, a fifth of the rows held out, two files written. Both read one
file of random numbers, in processes of their own, one after the other, over several rounds. The
result is the ratio within a round, because the machine's own speed changes from minute to minute.
Times and memory are without the imports.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rounds import PEAK, ROOT, arguments, summary, turns

PLAIN = """
import pyarrow.csv, pyarrow.parquet
def work():
    table = pyarrow.csv.read_csv("data/raw/table.csv")
    pyarrow.parquet.write_table(table, "data/plain.parquet")
"""
OURS = """
import yaml
from pipeline import generate
from pipeline.settings import params
values = yaml.safe_load(open("params.yaml"))
values["data"] |= {
    "source": "data/raw/table.csv", "features": [], "targets": ["y"], "test_fraction": 0.2
}
values["evaluate"]["queries"] = []
job = params.parse(yaml.safe_dump(values))
def work():
    generate.main(job)
"""
MEASURE = """
import json, time
before, begin = peak(), time.perf_counter()
work()
print(json.dumps([time.perf_counter() - begin, peak() - before]))
"""


def make(path: Path, rows: int, columns: int) -> None:
    """Write a CSV of random float64, each in the shortest form that reads back equal."""
    draws = np.random.default_rng(0)
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        file.write(",".join([*(f"x{number}" for number in range(columns - 1)), "y"]) + "\n")
        for begin in range(0, rows, 10_000):
            block = draws.standard_normal((min(10_000, rows - begin), columns)).tolist()
            file.writelines(",".join(map(repr, row)) + "\n" for row in block)


def run(folder: Path, program: str) -> tuple[float, float]:
    """Run a program in `folder`; return its seconds, and its peak MB above its imports."""
    done = subprocess.run(
        [sys.executable, "-c", program + PEAK + MEASURE],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


def main() -> None:
    """Measure and print a Markdown table."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the table (1,000,000)")
    parser.add_argument("--columns", type=int, default=10, help="of the table (10)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        raw = folder / "data/raw/table.csv"
        make(raw, asked.rows, asked.columns)
        (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        sides = {"plain": PLAIN, "ours": OURS}
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for number in range(max(1, asked.rounds)):
            for name in turns(sides, number):
                measured[name].append(run(folder, sides[name]))
            print(f"round {number + 1} of {asked.rounds}", file=sys.stderr)
        size = raw.stat().st_size / 1e6

    ratios = [a[0] / b[0] for a, b in zip(measured["ours"], measured["plain"], strict=True)]
    print(f"{asked.rows:,} rows × {asked.columns} columns, {size:,.0f} MB of CSV\n")
    print("| | time, s | ours / plain | range | peak memory above the imports', MB |")
    print("|---|---|---|---|---|")
    for name, figures in measured.items():
        seconds, megabytes = (statistics.median(column) for column in zip(*figures, strict=True))
        ratio = summary(ratios) if name == "ours" else "1 |"
        print(f"| {name} | {seconds:.2f} | {ratio} | {megabytes:.0f} |")


if __name__ == "__main__":
    main()

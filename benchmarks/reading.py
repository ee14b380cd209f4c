"""Time stage generate on a user's CSV, and plain pyarrow, in turn: `python benchmarks/reading.py`.

Plain is the usual code: pyarrow.csv.read_csv, with dictionaries for columns of text, and
pyarrow.parquet.write_table of the whole table. It looks at no value, holds out no row, and has all
in memory. Ours is generate's own `main`: read in blocks, every value checked, a fifth of the rows
held out, two files written, levels counted. Both read one file of random numbers, or of numbers and
three columns of 20 levels, in processes of their own, one after the other, over several rounds. The
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
options = pyarrow.csv.ConvertOptions(auto_dict_encode=True)
def work():
    table = pyarrow.csv.read_csv("data/raw/table.csv", convert_options=options)
    pyarrow.parquet.write_table(table, "data/plain.parquet")
"""
OURS = """
import yaml
from pipeline import generate
from pipeline.settings import params
values = yaml.safe_load(open("params.yaml"))
names = open("data/raw/table.csv").readline().strip().split(",")
kinds = {name: "category" if name[0] == "t" else "number" for name in names[:-1]}
values["data"] |= {
    "source": "data/raw/table.csv", "features": kinds, "targets": ["y"], "test_fraction": 0.2
}
values["evaluate"]["queries"] = []
job = params.parse(yaml.safe_dump(values, sort_keys=False))
def work():
    generate.main(job)
"""
MEASURE = """
import json, time
before, begin = peak(), time.perf_counter()
work()
print(json.dumps([time.perf_counter() - begin, peak() - before]))
"""


def make(path: Path, rows: int, columns: int, texts: int) -> None:
    """Write a CSV of random float64, each in the shortest form that reads back equal.

    texts: how many of the columns have 20 levels of text instead.
    """
    draws = np.random.default_rng(0)
    levels = np.array([f"level {number}" for number in range(20)])
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"t{number}" for number in range(texts)]
    names += [f"x{number}" for number in range(columns - 1 - texts)]
    with path.open("w") as file:
        file.write(",".join([*names, "y"]) + "\n")
        for begin in range(0, rows, 10_000):
            size = min(10_000, rows - begin)
            text = levels[draws.integers(0, len(levels), (size, texts))].tolist()
            block = draws.standard_normal((size, columns - texts)).tolist()
            file.writelines(
                ",".join([*words, *map(repr, row)]) + "\n"
                for words, row in zip(text, block, strict=True)
            )


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
        (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
        print("| table | | time, s | ours / plain | range | peak memory above the imports', MB |")
        print("|---|---|---|---|---|---|")
        for texts in (0, 3):
            make(folder / "data/raw/table.csv", asked.rows, asked.columns, texts)
            size = (folder / "data/raw/table.csv").stat().st_size / 1e6
            table = f"{asked.rows:,} × {asked.columns}, {texts} of text, {size:,.0f} MB of CSV"
            for name, figures in measured(folder, asked.rounds).items():
                print(f"| {table} | {name} | {figures} |", flush=True)


def measured(folder: Path, rounds: int) -> dict[str, str]:
    """Return the cells of the table by the side: plain and ours."""
    sides = {"plain": PLAIN, "ours": OURS}
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(max(1, rounds)):
        for name in turns(sides, number):
            runs[name].append(run(folder, sides[name]))
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    ratios = [a[0] / b[0] for a, b in zip(runs["ours"], runs["plain"], strict=True)]
    cells = {}
    for name, figures in runs.items():
        seconds, megabytes = (statistics.median(column) for column in zip(*figures, strict=True))
        ratio = summary(ratios) if name == "ours" else "1 |"
        cells[name] = f"{seconds:.2f} | {ratio} | {megabytes:.0f}"
    return cells


if __name__ == "__main__":
    main()

"""Time a sweep of 256 configurations beside as many `dvc exp run`.

The sweep: `python -m pipeline.sweep` as a person starts it, with a run for each configuration, five
folds included. Beside it `dvc exp run -S` of a few of the configurations, one after another, whose
median time is multiplied by 256. Both in a clone of HEAD, on a table of numbers.

Accuracy: the figures of a configuration in reports/sweep.csv beside those in reports/metrics.json
of the experiment with the same settings.
"""

import csv
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import yaml
from against_plain import run
from rounds import ROOT, arguments

COLUMNS = 8
EPOCHS = 200


def write_table(path: Path, rows: int) -> None:
    """Write a table of features and a noisy target."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, COLUMNS)) * np.linspace(0.5, 2, COLUMNS)
    y = x @ random.standard_normal(COLUMNS) + 1 + random.standard_normal(rows)
    header = ",".join([*(f"x{number}" for number in range(COLUMNS)), "y"])
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, np.column_stack([x, y]), "%.6g", ",", header=header, comments="")


def write_job(path: Path) -> None:
    """Write the job on the table into params.yaml."""
    values = yaml.safe_load(path.read_text())
    values["data"] |= {"source": "data/raw/table.csv", "features": [], "test_fraction": 0.2}
    values["train"] |= {"reduction": "mean", "epochs": EPOCHS}
    values["evaluate"] |= {"queries": []}
    path.write_text(yaml.safe_dump(values, sort_keys=False))


def settings(row: dict[str, str]) -> list[str]:
    """Return the settings of a row of the sweep's report for `dvc exp run`."""
    return [
        part
        for key, value in row.items()
        if key.startswith("train.") and key not in ("train.rmse", "train.r2", "train.loss")
        for part in ("-S", f"{key}={value}")
    ]


def difference(row: dict[str, str], metrics: dict[str, dict[str, float]]) -> float:
    """Return the largest relative difference between a sweep's figures and a result's."""
    return max(
        abs(float(row[f"{side}.{name}"]) / metrics[side][name] - 1)
        for side in ("train", "test")
        for name in ("rmse", "r2")
    )


def print_times(table_rows: int, rounds: int, timed: int) -> tuple[float, float]:
    """Time both, print the table; return the ratio and the largest difference of the figures.

    timed: how many experiments to time.
    """
    lr = "train.lr=log:1e-3..1e-2:64"
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / "abline"
        run(Path(name), "git", "clone", "--quiet", str(ROOT), str(work))
        write_table(work / "data/raw/table.csv", table_rows)
        write_job(work / "params.yaml")
        run(work, "git", "add", "-A")
        run(work, "git", "commit", "--quiet", "-m", "a table")
        run(work, "dvc", "repro", "--quiet")
        command = [sys.executable, "-m", "pipeline.sweep", lr, "train.momentum=0,0.5,0.8,0.9"]
        sweeps = []
        for number in range(rounds):
            sweeps.append(run(work, *command))
            print(f"sweep: round {number + 1} of {rounds}", file=sys.stderr)
        rows = list(csv.DictReader((work / "reports/sweep.csv").read_text().splitlines()))
        experiments, differences = [], []
        step = len(rows) // timed
        for row in rows[::step][:timed]:
            experiments.append(run(work, "dvc", "exp", "run", "--quiet", *settings(row)))
            metrics = json.loads((work / "reports/metrics.json").read_text())
            differences.append(difference(row, metrics))
            print(f"dvc exp run: {len(experiments)} of {timed}", file=sys.stderr)
    swept, each = statistics.median(sweeps), statistics.median(experiments)
    print(f"| {len(rows)} configurations × {EPOCHS} epochs, tracked | seconds | times the sweep |")
    print("|---|---|---|")
    print(f"| `python -m pipeline.sweep`, 5 folds | {swept:.1f} | 1 |")
    print(
        f"| {len(rows)} × `dvc exp run` (from {len(experiments)}: {each:.1f} s each) |"
        f" {len(rows) * each:,.0f} | **{len(rows) * each / swept:.0f}** |"
    )
    print(f"\nlargest relative difference of rmse and R²: {max(differences):.1e}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return len(rows) * each / swept, max(differences)


def main() -> None:
    """Read the command line and run the benchmark."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the table (20000)")
    parser.add_argument("--experiments", type=int, default=4, help="how many to time (4)")
    options = parser.parse_args()
    print_times(options.rows, options.rounds, options.experiments)


if __name__ == "__main__":
    main()

"""Compare the figures of a sweep with those of the result of its choice: part of `make bench`.

For each kind of training: `python -m pipeline.sweep … --apply best`, then `dvc repro`; the figures
of the best configuration, with all digits as the sweep's own file has them, beside those of
reports/metrics.json. In a clone of HEAD, on a table of 20,000 × 8, of which 15,927 rows train.
"""

import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from against_plain import run
from rounds import ROOT, arguments
from sweep import write_job, write_table

LR, SLOW = "train.lr=log:1e-2..1e-1:8", "train.lr=0.01,0.1"
KINDS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "SGD, reduced rows, float32": ([LR, "train.momentum=0,0.9"], {}),
    "SGD, reduced rows, float64": ([LR, "train.momentum=0,0.9"], {"dtype": "float64"}),
    "SGD, all rows, float32": ([LR, "train.momentum=0,0.9"], {"reduce_rows": False}),
    "SGD, all rows, float64": (
        [LR, "train.momentum=0,0.9"],
        {"reduce_rows": False, "dtype": "float64"},
    ),
    "SGD that has not converged, float32": (["train.lr=log:1e-4..1e-3:8", "train.epochs=20"], {}),
    "Adam, reduced rows, float32": ([LR], {"optimizer": "adam"}),
    "Adam, all rows, float32": ([LR], {"optimizer": "adam", "reduce_rows": False}),
    "L-BFGS": (["train.lr=0.5,1.0", "train.epochs=5"], {"optimizer": "lbfgs"}),
    "exact, l2": (["train.l2=log:1e-6..1:20"], {"optimizer": "exact"}),
    "exact, l1: cv": (["train.l1=cv,0.01"], {"optimizer": "exact"}),
    "mini-batches of 64": ([SLOW, "train.epochs=3"], {"batch_size": 64}),
    "early stopping": ([SLOW], {"patience": 3}),
}
"""The ranges to sweep, and the settings of `train` that differ from the usual job's."""


def figures(metrics: dict[str, Any]) -> dict[str, float]:
    """Return the figures of metrics.json that a sweep has, too."""
    named = {
        f"{side}.{name}": metrics[side][name]
        for side in ("train", "test")
        for name in ("rmse", "r2")
    }
    for name, over_folds in metrics.get("cv", {}).items():
        named[f"cv.{name}.mean"] = over_folds["mean"]
    return named


def swept(work: Path) -> tuple[int, dict[str, float]]:
    """Return the number of configurations of the last sweep, and the figures of the best one."""
    rows = [*csv.DictReader((work / "reports/sweep.csv").read_text().splitlines())]
    logs = (work / ".dvc/tmp/abline/sweeps").glob("*.jsonl")
    last = max(logs, key=lambda path: path.stat().st_mtime).read_text().splitlines()
    outcomes = {each["number"]: each["figures"] for each in map(json.loads, filter(None, last))}
    return len(rows), outcomes[int(rows[0]["number"])]


def difference(best: dict[str, float], metrics: dict[str, Any]) -> tuple[float, float]:
    """Return the largest relative difference of an rmse, and the largest difference of an R²."""
    pairs = {name: (best[name], value) for name, value in figures(metrics).items()}
    return (
        max(abs(a / b - 1) for name, (a, b) in pairs.items() if "rmse" in name),
        max(abs(a - b) for name, (a, b) in pairs.items() if "r2" in name),
    )


def main() -> None:
    """Sweep, make the result and compare, kind by kind; print the table."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the table (20000)")
    options = parser.parse_args()
    print("| training | configurations | relative difference of rmse | difference of R² |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / "abline"
        run(Path(name), "git", "clone", "--quiet", str(ROOT), str(work))
        write_table(work / "data/raw/table.csv", options.rows)
        write_job(work / "params.yaml")
        job = yaml.safe_load((work / "params.yaml").read_text())
        run(work, "dvc", "repro", "--quiet", "generate")
        for kind, (ranges, changes) in KINDS.items():
            text = yaml.safe_dump(job | {"train": job["train"] | changes}, sort_keys=False)
            (work / "params.yaml").write_text(text)
            by_folds = not {"batch_size", "patience"} & {*changes}
            metric = "cv.rmse.mean" if by_folds else "test.rmse"
            sweep = [sys.executable, "-m", "pipeline.sweep", *ranges, "--metric", metric]
            run(work, *sweep, "--apply", "best")
            run(work, "dvc", "repro", "--quiet", "evaluate")
            metrics = json.loads((work / "reports/metrics.json").read_text())
            count, best = swept(work)
            rmse, r2 = difference(best, metrics)
            print(f"| {kind} | {count} | {rmse:.0e} | {r2:.0e} |", flush=True)


if __name__ == "__main__":
    main()

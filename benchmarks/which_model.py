"""What it takes to choose a model, in one table: part of `make bench`, in about half an hour.

penalties.py (cross-validated penalties beside scikit-learn), glmnet_values.py, sweep.py and
table_penalties.py run one after another and print what they print alone; then comes a row for each
with what it reached, and the time from a CSV to a penalized model that is compared with the one
before: the four commands of the README, in a clone of HEAD.
"""

import tempfile
import warnings
from pathlib import Path

import glmnet_values
import penalties
import shipped_tables
import sweep
import table_penalties
from against_plain import run
from rounds import ROOT, arguments

ROWS, COLUMNS = 2_000_000, 32
FOUR_COMMANDS = (
    "python -m pipeline.describe data/raw/table.csv --target y --write",
    "dvc exp run --name plain",
    "dvc exp run --name ridge --set-param train.l2=cv",
    "python -m pipeline.compare plain ridge",
)


def seconds_from_csv() -> float:
    """Return the seconds that the four commands take, with a table of 20,000 × 8."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name) / "abline"
        run(Path(name), "git", "clone", "--quiet", str(ROOT), str(work))
        sweep.write_table(work / "data/raw/table.csv", 20_000)
        return sum(run(work, *command.split()) for command in FOUR_COMMANDS)


def main() -> None:
    """Run the benchmarks and print the table."""
    asked = arguments(__doc__ or "", rounds=3).parse_args()
    warnings.simplefilter("ignore")  # of scikit-learn, that tol is not reached
    shipped_tables.install()
    digits = penalties.print_digits()
    print()
    of_glmnet = glmnet_values.print_digits()
    print()
    times = penalties.print_times(ROWS, COLUMNS, asked.rounds)
    ratio, difference = sweep.print_times(20_000, asked.rounds, timed=4)
    print()
    gains = table_penalties.print_gains(list(shipped_tables.tables())[::2], asked.rounds, folds=5)
    seconds = seconds_from_csv()
    grid, digits_of = f"5 folds × 100 values, {ROWS:,} × {COLUMNS}", "digits, worst of 8 tables"
    reached = (
        (f"ridge, {grid}", "`RidgeCV`", f"{times['ridge']:.0f} × as fast", digits["ridge"]),
        (f"lasso, {grid}", "`LassoCV`", f"{times['lasso']:.0f} × as fast", digits["lasso"]),
    )
    print("\n| work | beside | reached | accuracy |\n|---|---|---|---|")
    for work, peer, what, worst in reached:
        print(f"| {work} | {peer} | **{what}** | {worst:.1f} {digits_of} |")
    print(f"| 83 published fits | glmnet | | {of_glmnet:.1f} digits, median |")
    configurations = "256 configurations × 200 epochs | 256 × `dvc exp run`"
    print(f"| {configurations} | **{ratio:.0f} × as fast** | {difference:.0e} apart |")
    gain = f"**{gains['l2: cv']:+.4f}** held-out R², median"
    print(f"| `train.l2: cv`, package tables | `RidgeCV` | | {gain} |")
    print(f"| CSV to penalized and compared | | **{seconds:.0f} s**, 4 commands | |")


if __name__ == "__main__":
    main()

"""Choose the penalty on the tables that ship in packages, beside scikit-learn's RidgeCV.

Each table of shipped_tables.py is described, summed up, and fitted with `train.l2: cv`, by the
functions that the stages call, in one process: held-out R², beside a pipeline of SimpleImputer,
StandardScaler, OneHotEncoder and RidgeCV with 100 values of alpha (leave-one-out) on the same rows
and columns. A fifth of the rows is held out, of small tables too; each round is another split, and
a table counts with the median of its rounds. Beside them: `train.l1: cv`, both, the simpler model
within a standard error, no penalty at all, and the best of the 100 values if the rows held out
could be asked.
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import table_peer
from numpy.typing import NDArray
from rounds import arguments
from shipped_tables import ShippedTable, install, tables, write
from table_peer import r2
from table_sums import SummedTable, described, job, summed
from tables import in_child

from pipeline.exact.least_squares import Fit
from pipeline.exact.penalties import PenalizedFit, Penalty
from pipeline.learning import chosen_penalties, exact_solution
from pipeline.settings.errors import UserError

MOST_ROWS, MOST_COLUMNS = 20_000, 300
"""Training rows and encoded columns of a table: of larger ones a penalty changes little, or the
choice takes minutes."""
CPU_SECONDS = 300
"""Of a round of a table."""
BEST_RIDGE = "best l2 of the 100"
"""Chosen by the rows held out themselves: a bound, not a way."""
WAYS = (
    "l2: cv",
    "l1: cv",
    "l1: cv, l2: cv",
    "l2: cv, one standard error",
    "l1: cv, one standard error",
    "no penalty",
    BEST_RIDGE,
)
Floats = NDArray[np.float64]


class Line(NamedTuple):
    """R² of the rows of a table that are held out."""

    source: str
    size: str
    ours: dict[str, float]
    """By each of WAYS; medians of the rounds, as all of the numbers."""
    peer: float
    gains: dict[str, float]
    """By each of WAYS: ours less the peer's of the same round."""


def held_out_fits(table: SummedTable) -> dict[str, float]:
    """Return R² on the rows held out of the weights as they ship, by each of WAYS."""
    x, y = table.held_out()
    answers = {}
    for names in (("l2",), ("l1",), ("l1", "l2")):
        way = ", ".join(f"{name}: cv" for name in names)
        params = job({}, train=dict.fromkeys(names, "cv"))
        (path,) = chosen_penalties.choose(params, table.summary).paths
        if names == ("l2",):
            fits = zip(path.weight, path.bias, strict=True)
            answers[BEST_RIDGE] = max(r2(y, x @ weight + bias) for weight, bias in fits)
        places = {way: path.best, f"{way}, one standard error": path.one_standard_error}
        for name in WAYS:
            if name in places:
                chosen = replace(path, chosen=places[name])
                penalty = Penalty(chosen.l1, chosen.l2)
                fit = exact_solution.penalized_solution(params, table.summary, [penalty])
                answers[name] = held_out_r2(fit, params.model.dtype, x, y)
    plain = exact_solution.least_squares_solution(table.settings, table.summary)
    answers["no penalty"] = held_out_r2(plain, table.settings.model.dtype, x, y)
    return answers


def held_out_r2(fit: Fit | PenalizedFit, dtype: str, x: Floats, y: Floats) -> float:
    """Return R² of the weights as they ship. x: [rows, features]; y: [rows]."""
    weight, bias = fit.shipped(dtype)
    return r2(y, x @ weight[0].astype(float) + float(bias[0]))


def measure(shipped: ShippedTable, rounds: int, folds: int) -> Line | str:
    """Return a line, or why the table has none. Changes the working folder."""
    with tempfile.TemporaryDirectory() as name:
        try:
            path, folder = write(shipped, Path(name)), Path(name) / "job"
            described(path, shipped.target, folder, shipped.aside)
            ours, peers = [], []
            for seed in range(rounds):
                table = summed(seed, folds)
                rows, test = table.summary.train.rows, table.summary.test
                columns = len(table.summary.features)
                if rows > MOST_ROWS or columns > MOST_COLUMNS:
                    return f"{rows:,} × {columns} are left out"
                if not test.rows or not test.gram.variation(len(test.smallest)):
                    return "the target does not vary in the rows held out"
                ours.append(held_out_fits(table))
                (target,) = table.settings.data.targets
                peers.append(table_peer.held_out_r2(table.plan.features, target, table.texts, True))
        except UserError as error:
            return str(error).splitlines()[0]
    gains = {
        way: statistics.median(a[way] - b for a, b in zip(ours, peers, strict=True)) for way in WAYS
    }
    medians = {way: statistics.median(each[way] for each in ours) for way in WAYS}
    size = f"{rows:,} × {columns}"
    return Line(shipped.source, size, medians, statistics.median(peers), gains)


def shown(line: Line) -> str:
    """Return a row of a table in Markdown."""
    cells = [f"{value:.4f}" for value in (*line.ours.values(), line.peer)]
    gain = f"{line.gains['l2: cv']:+.4f}"
    return "| " + " | ".join([line.source, line.size, *cells, gain]) + " |"


def quantiles(lines: list[Line]) -> str:
    """Return a table of the differences to the peer."""
    rows = ["| ours − RidgeCV | median | quartiles | range | larger | smaller |", "|---" * 6 + "|"]
    for way in WAYS:
        gains = np.array([line.gains[way] for line in lines])
        low, first, middle, third, high = np.percentile(gains, [0, 25, 50, 75, 100])
        rows.append(
            f"| `{way}` | **{middle:+.4f}** | {first:+.4f} to {third:+.4f} | {low:+.3f} to"
            f" {high:+.3f} | {(gains > 0).sum()} | {(gains < 0).sum()} |"
        )
    return "\n".join(rows)


def print_gains(chosen: Sequence[ShippedTable], rounds: int, folds: int) -> dict[str, float]:
    """Print a line for each table, and the differences; return the median of each of WAYS."""
    install()
    print("| " + " | ".join(["table", "rows × columns", *WAYS, "RidgeCV", "difference"]) + " |")
    print("|---" * (4 + len(WAYS)) + "|")
    lines = []
    for shipped in chosen:
        line = in_child(CPU_SECONDS * rounds, measure, shipped, rounds, folds)
        if isinstance(line, Line):
            lines.append(line)
            print(shown(line), flush=True)
        else:
            print(f"without {shipped.source}: {line or 'out of time or memory'}", file=sys.stderr)
    if not lines:
        sys.exit("error: no table is left")
    print(f"\n{len(lines)} tables, {rounds} splits each\n\n{quantiles(lines)}")
    return {way: statistics.median(line.gains[way] for line in lines) for way in WAYS}


def main() -> None:
    """Read the command line and run the benchmark."""
    parser = arguments(__doc__ or "", rounds=3)
    parser.add_argument("--only", default="", help="only tables whose name has this text in it")
    parser.add_argument("--every", type=int, default=2, help="only one table in so many (2)")
    parser.add_argument("--folds", type=int, default=5, help="`data.folds` (5)")
    asked = parser.parse_args()
    chosen = [table for table in tables() if asked.only in table.source][:: asked.every]
    print_gains(chosen, asked.rounds, asked.folds)


if __name__ == "__main__":
    main()

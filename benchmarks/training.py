"""Time full-batch SGD of a linear model beside the plain torch loop, on this machine.

Part of `make bench`. Both fit the same float32 table in memory from the same initial weights, in
turn within each round; the result is the ratio within a round. Ours trains on the reduced rows of
the table's summary (`train.reduce_rows`), with everything that a training does: the checks of the
module, the losses of each epoch, the comparison with what the file will give. Beside the time is
the largest difference of a weight from the same descent in float64, relative to the largest weight.
"""

import statistics
import sys
import time

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from rounds import ROOT, arguments, summary, turns
from torch import nn

sys.path.insert(0, str(ROOT))

from pipeline.columns import in_memory
from pipeline.columns.summary import Summary
from pipeline.learning import prediction, training
from pipeline.settings import params as params_yaml
from pipeline.settings.params import Params
from pipeline.tables.table import Table

LR = 0.05


def job(features: list[str], epochs: int, dtype: str) -> Params:
    """Return the job of the descent."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    values["data"] |= {"source": "data/raw/t.csv", "features": features, "targets": ["y"]}
    values["train"] |= {"epochs": epochs, "lr": LR, "reduction": "mean", "dtype": dtype}
    values["train"] |= {"reduce_rows": True}
    values["model"] |= {"dtype": dtype}
    values["evaluate"] |= {"queries": []}
    return params_yaml.parse(yaml.safe_dump(values))


def ours(params: Params, table: Table, sums: Summary) -> NDArray[np.float64]:
    """Train on the reduced rows of the summary."""
    line = prediction.line_of(training.train(params, table, summary=sums)[0])
    assert line is not None
    return np.append(line.weight[0], line.bias)


def plain(x: torch.Tensor, y: torch.Tensor, epochs: int) -> NDArray[np.float64]:
    """Train by the loop of the tutorials."""
    torch.manual_seed(0)
    module = nn.Linear(x.shape[1], 1)
    criterion, optimizer = nn.MSELoss(), torch.optim.SGD(module.parameters(), lr=LR)
    losses = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = criterion(module(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    weights = [module.weight.detach().numpy().ravel(), module.bias.detach().numpy()]
    return np.concatenate(weights).astype(float)


def main() -> None:
    """Time both in each round, and print a table in Markdown."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the table (2,000,000)")
    parser.add_argument("--features", type=int, default=32, help="of the table (32)")
    parser.add_argument("--epochs", type=int, default=1_000, help="of the training (1,000)")
    asked = parser.parse_args()
    random = np.random.default_rng(0)
    names = [f"x{column}" for column in range(asked.features)]
    values = random.standard_normal((asked.rows, asked.features + 1), dtype=np.float32)
    values[:, :-1] += random.uniform(-1, 1, asked.features).astype(np.float32)
    values[:, -1] += values[:, :-1] @ random.standard_normal(asked.features, dtype=np.float32)
    x, y = torch.from_numpy(values[:, :-1].copy()), torch.from_numpy(values[:, -1:].copy())
    table = Table((*names, "y"), np.asfortranarray(values, np.float64), frozenset(names))
    params = job(names, asked.epochs, "float32")
    seconds: dict[str, list[float]] = {"plain": [], "summary": [], "ours": []}
    plain(x, y, 1)
    ours(params, table, in_memory.summary_of(Table(table.names, table.values[:99]), None, ("y",)))
    for number in range(asked.rounds):
        for side in turns(("ours", "plain"), number):
            begin = time.perf_counter()
            if side == "plain":
                plain_weights = plain(x, y, asked.epochs)
            else:
                sums = in_memory.summary_of(table, None, ("y",))
                seconds["summary"].append(time.perf_counter() - begin)
                begin = time.perf_counter()
                own_weights = ours(params, table, sums)
            seconds[side].append(time.perf_counter() - begin)
    exact = ours(job(names, asked.epochs, "float64"), table, sums)
    both = [a + b for a, b in zip(seconds["ours"], seconds["summary"], strict=True)]
    print(f"| {asked.epochs:,} epochs, {asked.rows:,} × {asked.features} float32 | seconds"
          " | plain / this | range | worst weight off by |")  # fmt: skip
    print("|---|---|---|---|---|")
    for name, times, weights in (
        ("reduced rows, from the summary", seconds["ours"], own_weights),
        ("reduced rows, the summary included", both, own_weights),
        ("plain torch loop", seconds["plain"], plain_weights),
    ):
        ratios = [p / t for p, t in zip(seconds["plain"], times, strict=True)]
        shown = summary(ratios, lambda ratio: f"{ratio:.1f}")
        error = np.abs(weights - exact).max() / np.abs(exact).max()
        print(f"| {name} | {statistics.median(times):.2f} | {shown} | {error:.1e} |")


if __name__ == "__main__":
    main()

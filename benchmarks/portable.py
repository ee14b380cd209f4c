"""Time what `train.portable` costs, in turn with training without it: part of `make bench`.

10,000 rows of 8 features, SGD on all rows and Adam in batches of 256; each training in a process of
its own, without the imports.
"""

import os
import statistics
import subprocess
import sys

from rounds import ROOT, summary

ROUNDS = 5

WORK = """
import time, yaml
from pipeline.learning import training
from pipeline.settings import params
from pipeline.tables.generated import generated_table
values = yaml.safe_load(open("params.yaml"))
values["data"] |= {"features": [f"x{i}" for i in range(8)]}
values["data"]["generate"] |= {"x": None, "rows": 10_000, "weight": None, "noise": 0.5}
values["train"] |= {"reduction": "mean", "lr": 0.01, "portable": PORTABLE} | OPTIONS
values["train"] |= {"reduce_rows": False}
values["evaluate"]["queries"] = []
job = params.parse(yaml.safe_dump(values))
rows = generated_table(job.data, 0)
import torch._dynamo  # which the first optimizer imports
begin = time.perf_counter()
training.train(job, rows)
print(time.perf_counter() - begin)
"""

JOBS: dict[str, dict[str, object]] = {
    "SGD, 2,000 epochs of all rows": {"epochs": 2000},
    "Adam, 50 epochs in batches of 256": {"epochs": 50, "batch_size": 256, "optimizer": "adam"},
}


def seconds(options: dict[str, object], portable: bool) -> float:
    """Return the seconds of one training."""
    sys.path.insert(0, str(ROOT))
    from pipeline.settings.environment import PORTABLE

    code = WORK.replace("OPTIONS", repr(options)).replace("PORTABLE", repr(portable))
    environment = os.environ | (PORTABLE if portable else {})
    output = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env=environment)
    return float(output)


def main() -> None:
    """Time both kinds of each job in each round, and print a table in Markdown."""
    print("| 10⁴ × 8 | not portable, s | portable, s | ratio | range |")
    print("|---|---|---|---|---|")
    for name, options in JOBS.items():
        times = [
            tuple(seconds(options, portable) for portable in (False, True)) for _ in range(ROUNDS)
        ]
        ratios = [portable / plain for plain, portable in times]
        plain, portable = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"| {name} | {plain:.2f} | {portable:.2f} | {summary(ratios)} |")


if __name__ == "__main__":
    main()

"""Program `sweep`: try many settings on the data that is there, and say which are best.

  KEY=log:LOW..HIGH:COUNT   COUNT numbers, by a constant factor: train.lr=log:1e-4..1e-1:64
  KEY=lin:LOW..HIGH:COUNT   COUNT numbers, by a constant step
  KEY=A,B,C                 a list: train.momentum=0,0.9

Every combination is tried; or with --random N so many that the seed draws, or with --optuna N so
many that Optuna suggests from those before: a range to draw from needs no count. Linear models on
all rows at once (sgd, adam) are trained together, others one after another. Each configuration is
cross-validated over the folds of data/summary.json.

Writes reports/sweep.csv and sweep.svg, and a run for each configuration. It makes no result: write
the best one into params.yaml (--apply best), then `dvc repro`.
"""

import argparse

from pipeline.learning.outcomes import DEFAULT_METRIC, METRICS, check_metric
from pipeline.report import sweep_choice, sweep_report
from pipeline.results import freshness
from pipeline.settings import (
    configurations,
    declared,
    environment,
    files,
    params,
    runner,
    yaml_file,
)
from pipeline.settings.configurations import ToSuggest
from pipeline.tracking import locks

BUSY = "another sweep runs in this repository; wait until it has ended"


def main() -> None:
    """Read the command line and sweep."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.sweep",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("ranges", nargs="+", metavar="KEY=VALUES", help="see above")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--random", type=int, metavar="N", help="draw N configurations")
    ways.add_argument("--optuna", type=int, metavar="N", help="let Optuna suggest N configurations")
    parser.add_argument("--metric", default=DEFAULT_METRIC, help=f"one of {', '.join(METRICS)}")
    parser.add_argument("--apply", metavar="best|NUMBER", help="write this one into params.yaml")
    parser.add_argument("--resume", action="store_true", help="keep what the same sweep has tried")
    options = parser.parse_args()
    with runner.program(again="this command", stopped="with --resume the same command goes on"):
        sweep(options)
    runner.leave()


def sweep(options: argparse.Namespace) -> None:
    """Try the configurations; report them, and write the choice into params.yaml if it is asked."""
    document = yaml_file.text_of(params.PATH)
    base = params.parse(document)
    declared.check(params.flatten(base))
    environment.prepare(portable=False)
    metric = options.metric
    check_metric(metric)
    tried = configurations.asked(document, options.ranges, options.random, options.optuna)
    sweep_choice.check(options.apply, tried.count)
    freshness.check_data(document)
    with locks.lock("sweep", 0, BUSY):
        # Imported here, when the command line is right: torch and MLflow take a second each, and
        # Optuna is an extra.
        from pipeline.learning.trained_sweep import ListedSweep
        from pipeline.tracking.recorded_sweep import recorded

        if isinstance(tried, ToSuggest):
            from pipeline.learning.suggested_sweep import SuggestedSweep

            swept = recorded(base, SuggestedSweep(tried, metric), resume=options.resume)
        else:
            swept = recorded(base, ListedSweep(tried, metric), resume=options.resume)
    print("\n".join(sweep_report.lines(swept, metric, files.SWEEP)))
    if options.apply:
        choice = sweep_choice.chosen(swept, metric, options.apply)
        sweep_choice.write(document, choice)
        print(
            f"{params.PATH}: configuration {choice.number} is in it; `dvc repro` makes the result"
        )


if __name__ == "__main__":
    main()

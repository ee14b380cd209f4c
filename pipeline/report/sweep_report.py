"""Report of a sweep: reports/sweep.csv, and the best configurations in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.learning.outcomes import FIGURES, Outcome, best_first
from pipeline.settings import csv_cells, messages
from pipeline.settings.yaml_values import flow

MOST_SHOWN = 10
"""Configurations in the terminal."""


def write_csv(path: Path, outcomes: Sequence[Outcome], metric: str) -> None:
    """Write a row for each configuration: the best first, then those without the metric."""
    ranked = best_first(outcomes, metric)
    chosen = {each.number for each in ranked}
    rest = [each for each in outcomes if each.number not in chosen]
    keys = [*outcomes[0].settings] if outcomes else []
    # A setting and a figure may both be called train.loss; of different losses it says nothing.
    figures = [name for name in FIGURES if name not in keys]
    names = [name for name in figures if any(name in each.figures for each in outcomes)]
    header = ["number", *keys, *names, "note"]
    csv_cells.write_csv(path, header, (_row(each, names) for each in [*ranked, *rest]))


def _row(outcome: Outcome, names: Sequence[str]) -> list[Any]:
    figures = [
        csv_cells.nine_digits(outcome.figures[n]) if n in outcome.figures else "" for n in names
    ]
    return [outcome.number, *map(flow, outcome.settings.values()), *figures, outcome.note]


def lines(outcomes: Sequence[Outcome], metric: str, path: Path) -> list[str]:
    """Return the best configurations as a table, the best first, and what became of the others.

    Their numbers are those of the file, of the runs and of `--apply`.
    """
    ranked = best_first(outcomes, metric)
    shown = ranked[:MOST_SHOWN]
    if not shown:
        note = next((each.note for each in outcomes if each.note), "no figures")
        if all(each.note.startswith("diverged") for each in outcomes):
            note = "each one diverged; try smaller values of train.lr"
        return [f"no configuration has {metric}: {note}; {path} has the reason for each"]
    keys = [*shown[0].settings]
    names = [
        metric,
        *(n for n in ("cv.rmse.mean", "cv.rmse.std", "test.rmse", "train.rmse") if n != metric),
    ]
    names = [name for name in names if any(name in each.figures for each in shown)]
    table = [["number", *keys, *names]]
    for each in shown:
        figures = [f"{each.figures[n]:.6g}" if n in each.figures else "" for n in names]
        table.append([f"{each.number}", *map(flow, each.settings.values()), *figures])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    text = [
        "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in table
    ]
    lost = len(outcomes) - len(ranked)
    others = f"; {messages.count(lost, 'configuration')} without {metric}, see `note`" * bool(lost)
    text.append(f"all {len(outcomes):,} in {path}{others}")
    if metric.startswith("test.") and len(outcomes) > 1:
        text.append("the rows held out have chosen: their error is too small for new rows")
    return text

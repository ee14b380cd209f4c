"""Shared by the benchmarks: the command line, the order of the sides in a round, the summary."""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

# Code of `peak`, the peak memory in MB of a program in its own process. Not getrusage, which gives
# the parent's peak if it was larger.
PEAK = """
import pathlib, re
def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) / 1024
"""


def arguments(description: str, rounds: int) -> argparse.ArgumentParser:
    """Return the command line of the benchmark that runs. rounds: the default number."""
    parser = argparse.ArgumentParser(
        prog=f"python benchmarks/{Path(sys.argv[0]).name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rounds", type=int, default=rounds, help=f"how often to time each ({rounds})"
    )
    return parser


def turns(sides: Iterable[str], number: int) -> list[str]:
    """Return the sides in alternating order: the second side may find warmer caches."""
    return sorted(sides, reverse=bool(number % 2))


def summary(
    ratios: Sequence[float], shown: Callable[[float], str] = lambda ratio: f"{ratio:.2f}"
) -> str:
    """Return two cells of a table: the median, in bold, and the smallest and the largest."""
    return f"**{shown(statistics.median(ratios))}** | {shown(min(ratios))} to {shown(max(ratios))}"

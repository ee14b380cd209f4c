"""Time this pipeline and a plain one, in turn, on this machine: `make bench`.

benchmarks/plain/ does the same job in four stages as most people write it: pandas, a call of
mlflow.log_metric an epoch, torch.save, the default export. It keeps no promise about bytes, checks
nothing but one answer, and tracks nothing but the training. Each command below is timed for both,
one after the other, over several rounds. The result is the ratio within a round, because the
machine's own speed changes from minute to minute. Ours is a clone of HEAD: uncommitted changes are
not timed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rounds import ROOT, arguments, summary, turns

Times = dict[str, list[float]]

ONE_CORE = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0)))]


def environment() -> dict[str, str]:
    """Return the environment of a command: this Python's programs first, no settings of tools."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_", "GIT_"))}
    who = {"NAME": "A User", "EMAIL": "user@example.com"}
    people = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    quiet = {"DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours.get('PATH', '')}"
    return ours | people | quiet | {"PATH": path, "PYTHONWARNINGS": "ignore"}


def run(folder: Path, *command: str) -> float:
    """Run a command in `folder` and return its seconds; exit with its output if it fails."""
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} in {folder} failed:\n{done.stdout}")
    return seconds


def prepare(work: Path) -> tuple[Path, Path]:
    """Return a clone of this repository and a repository of the plain pipeline, each run."""
    ours, plain = work / "abline", work / "plain"
    run(work, "git", "clone", "--quiet", str(ROOT), str(ours))
    shutil.copytree(ROOT / "benchmarks/plain", plain, ignore=shutil.ignore_patterns("__pycache__"))
    run(plain, "git", "init", "--quiet")
    run(plain, "dvc", "init", "--quiet")
    (plain / ".gitignore").write_text("/data\n/models\n/mlflow.db\n/mlruns\n__pycache__\n")
    run(plain, "git", "add", "--all")
    run(plain, "git", "commit", "--quiet", "--message=the plain pipeline")
    for folder in (ours, plain):
        run(folder, "dvc", "repro")
        run(folder, "dvc", "repro", "--force")
    run(plain, "git", "add", "--all")
    run(plain, "git", "commit", "--quiet", "--message=its first result")
    return ours, plain


def measure(ours: Path, plain: Path, rounds: int) -> dict[str, Times]:
    """Return the seconds of each command in each round, for both pipelines and the floor."""
    sides = {"ours": (ours, "train.lr"), "plain": (plain, "lr")}
    commands = {
        "dvc repro -f": ["dvc", "repro", "--force"],
        "dvc repro -f, one core": [*ONE_CORE, "dvc", "repro", "--force"],
        "dvc repro, nothing changed": ["dvc", "repro"],
        "dvc exp run -S": ["dvc", "exp", "run", "-S"],
    }
    seconds: dict[str, Times] = {name: {"ours": [], "plain": []} for name in commands}
    seconds["dvc repro -f"]["floor"] = []
    for number in range(rounds):
        for name, command in commands.items():
            for side in turns(sides, number):
                folder, key = sides[side]
                # A value not tried before, or DVC would find the result in its run cache.
                new = [f"{key}={0.01 + (number + 1) / 10_000}"] * (command[-1] == "-S")
                seconds[name][side].append(run(folder, *command, *new))
        floor = run(plain.parent, sys.executable, str(ROOT / "benchmarks/floor.py"))
        seconds["dvc repro -f"]["floor"].append(floor)
        for folder in (ours, plain):  # back to the committed job
            run(folder, "git", "checkout", "--quiet", ".")
            run(folder, "dvc", "repro")
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return seconds


def table(seconds: dict[str, Times]) -> str:
    """Return the ratios to the plain pipeline as a Markdown table: median, smallest, largest."""
    lines = ["| command | plain, s | ours, s | ours / plain | range |", "|---|---|---|---|---|"]
    for name, times in seconds.items():
        for side in ("ours", "floor"):
            if side not in times:
                continue
            ratios = [a / b for a, b in zip(times[side], times["plain"], strict=True)]
            command = name if side == "ours" else "imports and one export, one process (the floor)"
            lines.append(
                f"| {command} | {statistics.median(times['plain']):.2f}"
                f" | {statistics.median(times[side]):.2f}"
                f" | {summary(ratios)} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure and print the table."""
    parser = arguments(__doc__, rounds=5)
    rounds = max(1, parser.parse_args().rounds)
    with tempfile.TemporaryDirectory() as work:
        print(table(measure(*prepare(Path(work)), rounds)))


if __name__ == "__main__":
    main()

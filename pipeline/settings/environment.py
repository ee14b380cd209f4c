"""The environment as an input: the pinned packages, and what makes kernels portable."""

import re
import sys
from pathlib import Path

from pipeline.settings.errors import UserError

REQUIREMENTS = Path("requirements.txt")

# torch, and MKL in it, choose their routines by these when they first compute: those that every
# x86-64 processor has, and the same for each vendor. One thread, because a sum over more than
# 32,768 numbers is added up in as many parts as there are threads.
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def check(requirements: Path = REQUIREMENTS) -> None:
    """Refuse to compute with other versions than the pinned ones: they are an input of the result.

    A build tag such as `+cpu` may differ. A pinned package that is not installed is not a
    difference: some are for other systems, and an import says so best.
    Raises UserError with each difference.
    """
    installed = _installed()
    wrong = []
    for line in requirements.read_text(encoding="utf-8").splitlines():
        pin = re.match(r"([\w.-]+)==([^\s;]+)", line)
        if pin is None:
            continue
        found = installed.get(_normal(pin[1]))
        if found is not None and found.split("+")[0] != pin[2]:
            wrong.append(f"{pin[1]} {found}, pinned: {pin[2]}")
    if wrong:
        raise UserError(
            "this environment would not give the promised bytes. Installed:\n  "
            + "\n  ".join(wrong)
            + f"\n`pip install -r {requirements}` brings the pinned versions back; to move to new"
            f" ones, change {requirements} and `dvc repro`"
        )


def _installed() -> dict[str, str]:
    """Names and versions by the folders' names alone: 2 ms where importlib.metadata takes 100."""
    found: dict[str, str] = {}
    for entry in map(Path, sys.path):
        for folder in entry.glob("*.dist-info") if entry.is_dir() else ():
            name, _, version = folder.stem.partition("-")
            found.setdefault(_normal(name), version)  # the first on the path is imported
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

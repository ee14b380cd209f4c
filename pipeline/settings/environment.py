"""The environment as an input: the pinned packages, and variables that make kernels portable."""

import os
import re
import sys
from pathlib import Path

from pipeline.settings.errors import UserError

REQUIREMENTS = Path("requirements.txt")

# torch, and MKL in torch, read these variables when they first compute, and then choose routines
# that every x86-64 processor has, the same for each vendor. One thread, because torch divides a sum
# over more than 32,768 numbers into one part for each thread.
PORTABLE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


def prepare(*, portable: bool) -> None:
    """Check the packages, and set the variables of PORTABLE if `train.portable` asks for them."""
    check()
    if portable:
        os.environ |= PORTABLE


def check(requirements: Path = REQUIREMENTS) -> None:
    """Refuse to compute with versions other than the pinned ones, which are an input of the result.

    A build tag such as `+cpu` may differ. A pinned package that is not installed is not a
    difference: some packages are for other systems, and an import fails with a better message.
    Raises UserError with each difference.
    """
    installed = _installed()
    differences = []
    for name, pinned in pins(requirements).items():
        version = installed.get(_normal(name))
        if version is not None and version.split("+")[0] != pinned:
            differences.append(f"{name} {version}, pinned: {pinned}")
    if differences:
        raise UserError(
            "this environment would not give the promised bytes. Installed:\n  "
            + "\n  ".join(differences)
            + f"\n`pip install -r {requirements}` brings the pinned versions back; to move to new"
            f" ones, change {requirements} and `dvc repro`"
        )


def pins(requirements: Path = REQUIREMENTS) -> dict[str, str]:
    """Return the pinned version of each package, by its name as it is written."""
    lines = requirements.read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([\w.-]+)==([^\s;]+)", line) for line in lines)
    return {pin[1]: pin[2] for pin in found if pin is not None}


def _installed() -> dict[str, str]:
    """Return the version of each package, read from the names of folders.

    That takes 2 ms; importlib.metadata takes 100.
    """
    versions: dict[str, str] = {}
    for entry in map(Path, sys.path):
        for folder in entry.glob("*.dist-info") if entry.is_dir() else ():
            name, _, version = folder.stem.partition("-")
            versions.setdefault(_normal(name), version)  # Python imports the first on the path
    return versions


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

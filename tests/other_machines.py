"""Programs as on machines with other numbers of threads and other instruction sets."""

import os
import subprocess
import sys

from conftest import ROOT, environment


def printed_on(program: str, threads: str, core: str, features: str) -> bytes:
    """Return what a program prints on a machine.

    core: the processor that OpenBLAS computes for. features: those that NumPy does without.
    """
    variables = environment(
        OMP_NUM_THREADS=threads,
        OPENBLAS_NUM_THREADS=threads,
        OPENBLAS_CORETYPE=core,
        NPY_DISABLE_CPU_FEATURES=features,
        PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
    )
    return subprocess.check_output([sys.executable, "-c", program], cwd=ROOT, env=variables)

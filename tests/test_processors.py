"""The same bytes with other threads, instruction sets and processors (level R3)."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from conftest import NUMPY_OFF, Checkout, Clone, job_text
from promised_bytes import COMPUTE, computed, promised

from pipeline.settings import dvc_md5

# Each setting at least once; a test below tries every pair of them.
MACHINES = [
    {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
    {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2"},
    {"ATEN_CPU_CAPABILITY": "avx512", "MKL_CBWR": "AVX512", "OPENBLAS_CORETYPE": "Haswell"},
    {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": NUMPY_OFF},
]


@pytest.mark.slow
@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_other_threads_and_instruction_sets_give_the_promised_bytes(
    clone: Clone, machine: dict[str, str]
) -> None:
    checkout = clone("machine")
    assert computed(checkout, machine) == promised()
    checkout("git", "diff", "--exit-code")


# The jobs, besides the tutorial's, with the same bytes on every x86-64 processor: 10⁴ rows.
LARGER: dict[str, Any] = {
    "data__features": [f"x{index}" for index in range(8)],
    "data__generate__x": None,
    "data__generate__rows": 10_000,
    "data__generate__weight": None,
    "data__generate__noise": 0.5,
    "data__test_fraction": 0.2,
    "train__reduction": "mean",
    "evaluate__queries": [[1.0] * 8],
}
PORTABLE: dict[str, dict[str, Any]] = {
    "exact": {
        "train__optimizer": "exact",
        "model__dtype": "float64",
        "export__outputs": ["prediction", "interval", "in_range"],
    },
    "portable": {"train__portable": True, "train__lr": 0.1, "train__epochs": 50},
    "portable, reduced": {
        "train__portable": True,
        "train__reduce_rows": True,
        "train__optimizer": "adam",
        "train__epochs": 50,
        "model__standardize": True,
    },
    "portable, in batches": {
        "train__portable": True,
        "train__optimizer": "adam",
        "train__batch_size": 64,
        "train__epochs": 2,
    },
    **{
        f"portable, network of {activation}": {
            "train__portable": True,
            "train__optimizer": "adam",
            "train__batch_size": 500,
            "train__epochs": 3,
            "model__hidden": [32, 32],
            "model__activation": activation,
            "model__dropout": 0.1,
            "model__standardize": True,
        }
        for activation in ("relu", "tanh")
    },
}


def stages_on(checkout: Checkout, machine: Mapping[str, Any], job: str) -> dict[str, str]:
    """Run the computing stages as programs, as `dvc repro` does; return md5s of their outputs."""
    # The ONNX files of the other jobs have no operators that the tutorial's does not have.
    for stage in ("train", "evaluate", "export") if job == "exact" else ("train", "evaluate"):
        checkout.stage(stage, **machine)
    return {path: dvc_md5.of(checkout.path / path) for path in (MODEL, "models", "reports")}


MODEL = "models/model.safetensors"


def test_numpy_can_be_told_of_a_smaller_processor() -> None:
    """Otherwise the settings above would change nothing."""
    code = "import numpy._core._multiarray_umath as m; print(*m.__cpu_dispatch__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == NUMPY_OFF


@pytest.fixture
def emulator() -> str:
    """Return a program that runs others as on another processor."""
    program = shutil.which("qemu-x86_64")
    if program is None:
        pytest.skip("qemu-x86_64, of the package qemu-user, is not installed")
    return program


@pytest.mark.slow
@pytest.mark.parametrize("job", PORTABLE)
def test_a_larger_job_is_portable_if_asked_to(clone: Clone, job: str) -> None:
    checkout = clone("portable")
    (checkout.path / "params.yaml").write_text(job_text(**LARGER, **PORTABLE[job]))
    checkout.stage("generate")
    first, *others = [stages_on(checkout, machine, job) for machine in MACHINES]
    assert others == [first] * len(others)


# Other processors: without AVX, Intel with AVX2 and FMA, AMD with the same. MKL, inside torch,
# chooses its routines also by the vendor.
PROCESSORS = ["Nehalem", "Haswell", "EPYC-Rome"]


@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_other_processors_give_the_promised_bytes(
    clone: Clone, emulator: str, processor: str
) -> None:
    checkout = clone("processor")
    output = checkout(emulator, "-cpu", processor, sys.executable, "-c", COMPUTE)
    # The emulator warns with every thread that starts, also after the last line.
    (answer,) = (line for line in output.splitlines() if line.startswith("{"))
    assert json.loads(answer) == promised()


# Networks, of which level R3 says nothing, on one processor each.
LINEAR = [job for job in PORTABLE if "network" not in job]
EMULATED = [
    *itertools.product(LINEAR, PROCESSORS),
    *zip((job for job in PORTABLE if job not in LINEAR), itertools.cycle(PROCESSORS), strict=False),
]


@pytest.mark.slow
@pytest.mark.parametrize(("job", "processor"), EMULATED)
def test_a_larger_job_trains_alike_on_another_processor(
    clone: Clone, emulator: str, job: str, processor: str
) -> None:
    """Its table is made here: the emulator makes mistakes in long products of matrices."""
    checkout = clone("portable")
    (checkout.path / "params.yaml").write_text(job_text(**LARGER, **PORTABLE[job]))
    for stage in ("generate", "train"):
        checkout.stage(stage)
    here = dvc_md5.of(checkout.path / MODEL)
    checkout(emulator, "-cpu", processor, sys.executable, "-m", "pipeline.train")
    assert dvc_md5.of(checkout.path / MODEL) == here


@pytest.mark.slow
def test_every_pair_of_machine_settings(clone: Clone) -> None:
    """Of 72 combinations 18, so that each setting is tried beside each value of each other one."""
    checkout = clone("machines")
    for (a, aten), (m, mkl), (b, blas) in itertools.product(
        enumerate(("default", "avx2", "avx512")),
        enumerate(("COMPATIBLE", "AVX2", "AVX512")),
        enumerate(("Prescott", "Haswell")),
    ):
        machine = {
            "OMP_NUM_THREADS": ("1", "2")[(a + b) % 2],
            "ATEN_CPU_CAPABILITY": aten,
            "MKL_CBWR": mkl,
            "OPENBLAS_CORETYPE": blas,
            "NPY_DISABLE_CPU_FEATURES": ("", NUMPY_OFF)[(a + m) % 2],
        }
        assert computed(checkout, machine) == promised(), machine
    checkout("git", "diff", "--exit-code")

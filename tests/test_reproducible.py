"""The same bytes and one run each, however and wherever the pipeline is run (rungs R1 to R3)."""

import hashlib
import itertools
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import onnx
import pytest
import yaml
from conftest import NUMPY_OFF, ROOT, Checkout, Clone, TrackedRun, job_text, wait_for_queue

from pipeline.settings import dvc_md5

# What a user's machine may set, and must not change a byte.
ELSEWHERE = {
    "LC_ALL": "de_DE.UTF-8",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "4711",
    "OMP_NUM_THREADS": "1",
    "USER": "someone",
}

# A larger job may come out different with another number of threads.
ELSEWHERE_SAME_THREADS = {k: v for k, v in ELSEWHERE.items() if k != "OMP_NUM_THREADS"}

# Each setting at least once; `make test-slow` tries every combination.
MACHINES = [
    {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
    {"OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2"},
    {"ATEN_CPU_CAPABILITY": "avx512", "MKL_CBWR": "AVX512", "OPENBLAS_CORETYPE": "Haswell"},
    {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": NUMPY_OFF},
]

# Runs the computing stages in one process and prints the md5 of every output.
COMPUTE = """
import json, warnings
warnings.simplefilter("ignore")
from pipeline import evaluate, export, generate, train
from pipeline.settings import declared, ids, params
import contextlib
nothing = lambda *_: None
train.live_run = lambda: contextlib.nullcontext(
    type("NoRun", (), {"begin": nothing, "log_losses": nothing}))
for stage in (generate, train, evaluate, export):
    stage.main(params.load())
outs = [out for stage in declared.stages().values() for out in stage["outs"]]
print(json.dumps(ids.md5s([out for out in outs if out != "reports/run.json"])))
"""


def complete(run: TrackedRun, checkout: Checkout) -> None:
    """Everything a finished run must have, whichever way it came to be."""
    assert run.status == "FINISHED"
    assert re.fullmatch(r"[0-9a-f]{32}", run.tags["result_id"])
    assert [step for step, _ in run.losses()] == list(range(1, int(run.params["train.epochs"]) + 1))
    assert run.artifact("reports/plots/loss.svg").startswith(b"<?xml")
    answers = json.loads(run.artifact("reports/metrics.json"))["prediction"]
    assert run.metrics["prediction.query_1.y"] == answers["query_1"]["y"]
    model = hashlib.md5(run.model_file()).hexdigest()
    assert model == run.md5s()["models/model.onnx"]
    lr = yaml.safe_load(run.artifact("params.yaml"))["train"]["lr"]
    assert float(run.params["train.lr"]) == float(lr)
    place = unquote(run.client.get_run(run.id).info.artifact_uri)
    assert place.startswith(f"file://{checkout.path}/mlartifacts/")


def leads_back(run: TrackedRun, checkout: Checkout) -> None:
    """The ONNX file's metadata, run.json, dvc.lock and the run name the same ids and md5s."""
    identity = json.loads((checkout.path / "reports/run.json").read_text())
    proto = onnx.load(str(checkout.path / "models/model.onnx"))
    noted = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    source = noted["abline.contract"]["source"]
    assert source["training_id"] == identity["training_id"] == run.tags["training_id"]
    outs = ("data/test.parquet", "data/train.parquet", "models/model.safetensors")
    assert source["md5"] == {path: identity["outs"][path] for path in outs}
    assert identity["outs"] == promised()
    assert run.tags["mlflow.source.git.commit"] == checkout("git", "rev-parse", "HEAD").strip()
    assert run.tags["git.changed_files"] == "none"


def test_a_clone_elsewhere_gives_the_committed_bytes(clone: Clone) -> None:
    """Another folder, locale, time zone, hash seed and thread count; plain, then forced."""
    checkout = clone("-Größe 2 ☃ 'a' \"b\" #;$&[*\\\n2")
    checkout.variables = ELSEWHERE
    checkout("dvc", "repro")
    assert checkout.status() == ""
    checkout("git", "diff", "--exit-code")
    (first,) = checkout.runs()
    complete(first, checkout)
    assert first.name.startswith("committed params (")
    leads_back(first, checkout)

    assert "ONNX file verified" in checkout("dvc", "repro", "-f")
    assert checkout.status() == ""
    checkout("git", "diff", "--exit-code")
    (second,) = checkout.runs()
    complete(second, checkout)
    assert second.id != first.id
    assert second.tags["result_id"] == first.tags["result_id"]
    assert "Data and pipelines are up to date" in checkout("dvc", "repro")


@pytest.mark.slow
def test_experiments_in_the_workspace_have_a_run_each(clone: Clone) -> None:
    """Other parameters, back again, other queries: each result once, with its own params."""
    checkout = clone("workspace")
    checkout("dvc", "repro")
    checkout("dvc", "exp", "run", "--name", "faster", "-S", "train.lr=0.02")
    _, faster = checkout.runs()
    complete(faster, checkout)
    assert faster.name == "train.lr=0.02 (faster)"
    assert faster.params["train.lr"] == "0.02"
    assert faster.tags["dvc.experiment"] == "faster"
    assert faster.tags["git.changed_files"] == "params.yaml"

    told = checkout("dvc", "exp", "run", "-S", "train.lr=0.01")
    assert "run known already" in told, "the result came from the cache, its run from before"
    assert len(checkout.all_runs()) == 2

    told = checkout("dvc", "exp", "run", "--name", "five", "-S", "evaluate.queries=[[5.0]]")
    assert "Stage 'train' didn't change, skipping" in told
    *_, five = checkout.runs()
    assert len(checkout.all_runs()) == 3
    complete(five, checkout)
    assert five.params["evaluate.queries"] == "[[5.0]]"
    assert five.name == "evaluate.queries=[[5.0]] (five)"

    shown = checkout("dvc", "exp", "show", "--csv")
    assert "faster" in shown
    assert "five" in shown
    assert "train.lr" in checkout("dvc", "params", "diff", "faster")
    assert "train.loss" in checkout("dvc", "metrics", "diff", "faster", "five")
    assert "train.r2" in checkout("dvc", "metrics", "show")
    checkout("dvc", "plots", "show", "--out", "report")
    page = (checkout.path / "report" / "index.html").read_text()
    assert "Loss by epoch" in page
    assert "loss.svg" in page


@pytest.mark.slow
def test_a_temporary_experiment_may_be_the_first_run_of_a_store(clone: Clone) -> None:
    checkout = clone("temporary")
    checkout("dvc", "exp", "run", "--temp", "--name", "first", "-S", "train.lr=0.000001")
    (run,) = checkout.runs()
    complete(run, checkout)
    assert run.name == "train.lr=1e-06 (first)"
    assert checkout.status() == ""
    assert not (checkout.path / "mlruns").exists()


@pytest.mark.slow
def test_queued_experiments_share_a_store_that_is_not_there_yet(clone: Clone) -> None:
    checkout = clone("queued")
    checkout("dvc", "exp", "run", "--queue", "-S", "train.lr=0.005,0.011,0.012")
    checkout("dvc", "queue", "start", "--jobs", "2")
    wait_for_queue(checkout)
    runs = checkout.runs()
    for run in runs:
        complete(run, checkout)
    assert sorted(run.params["train.lr"] for run in runs) == ["0.005", "0.011", "0.012"]
    assert len(checkout.all_runs()) == 3
    assert len({run.tags["dvc.experiment"] for run in runs}) == 3


def promised() -> dict[str, str]:
    """The md5 of every output, as dvc.lock has it."""
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    return {path: md5 for path, md5 in outs.items() if path != "reports/run.json"}


def computed(checkout: Checkout, machine: Mapping[str, Any]) -> dict[str, str]:
    told = checkout(sys.executable, "-c", COMPUTE, **machine)
    found: dict[str, str] = json.loads(told.splitlines()[-1])
    return found


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_other_threads_and_instruction_sets_give_the_promised_bytes(
    clone: Clone, machine: dict[str, str]
) -> None:
    checkout = clone("machine")
    assert computed(checkout, machine) == promised()
    checkout("git", "diff", "--exit-code")


@pytest.mark.slow
def test_a_larger_job_gives_the_same_bytes_twice(clone: Clone) -> None:
    """R1 and R2 hold for every job: in two places, float32, batches, many features, two targets."""
    names = [f"x{index}" for index in range(8)]
    text = job_text(
        data__features=names,
        data__targets=["u", "v"],
        data__generate__x=None,
        data__generate__rows=2000,
        data__generate__weight=None,
        data__generate__bias=[1.0, 2.0],
        data__generate__noise=0.5,
        train__optimizer="adam",
        train__batch_size=64,
        train__epochs=3,
        train__reduction="mean",
        evaluate__queries=[[1.0] * 8],
    )
    found = []
    for place, machine in (("here", {}), ("dort drüben", ELSEWHERE_SAME_THREADS)):
        checkout = clone(place)
        (checkout.path / "params.yaml").write_text(text)
        found.append(computed(checkout, machine))
    assert found[0] == found[1]
    assert found[0].keys() == promised().keys()
    assert not set(found[0].values()) & set(promised().values())


# What is promised on every x86-64 processor besides the tutorial's job: 10⁴ rows of 8 features.
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
    "portable, in batches": {
        "train__portable": True,
        "train__optimizer": "adam",
        "train__batch_size": 64,
        "train__epochs": 2,
    },
}


def stages_on(checkout: Checkout, machine: Mapping[str, Any], job: str) -> dict[str, str]:
    """Run the computing stages as programs, as `dvc repro` does: what they wrote."""
    # Of the others the file has nothing that the tutorial's does not have.
    for stage in ("train", "evaluate", "export") if job == "exact" else ("train", "evaluate"):
        checkout.stage(stage, **machine)
    return {path: dvc_md5.of(checkout.path / path) for path in (MODEL, "models", "reports")}


MODEL = "models/model.safetensors"


def test_numpy_can_be_told_of_a_smaller_processor() -> None:
    """Or else the settings above would try nothing."""
    code = "import numpy._core._multiarray_umath as m; print(*m.__cpu_dispatch__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == NUMPY_OFF


@pytest.fixture
def emulator() -> str:
    """A program that runs others as on another processor."""
    found = shutil.which("qemu-x86_64")
    if found is None:
        pytest.skip("qemu-x86_64, of the package qemu-user, is not installed")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("job", PORTABLE)
def test_a_larger_job_is_portable_if_asked_to(clone: Clone, job: str) -> None:
    checkout = clone("portable")
    (checkout.path / "params.yaml").write_text(job_text(**LARGER, **PORTABLE[job]))
    checkout.stage("generate")
    found = [stages_on(checkout, machine, job) for machine in (MACHINES[2], MACHINES[3])]
    assert found[0] == found[1]


@pytest.mark.slow
@pytest.mark.parametrize("job", PORTABLE)
def test_a_portable_job_on_other_processors(clone: Clone, emulator: str, job: str) -> None:
    checkout = clone("portable")
    (checkout.path / "params.yaml").write_text(job_text(**LARGER, **PORTABLE[job]))
    checkout.stage("generate")
    here = stages_on(checkout, {}, job)
    assert [stages_on(checkout, machine, job) for machine in MACHINES] == [here] * len(MACHINES)
    for processor in PROCESSORS:
        checkout(emulator, "-cpu", processor, sys.executable, "-m", "pipeline.train")
        assert dvc_md5.of(checkout.path / MODEL) == here[MODEL], processor


# Processors that this machine is not: without AVX, Intel with AVX2 and FMA, AMD with the same.
# MKL, inside torch, chooses its routines by vendor too.
PROCESSORS = ["Nehalem", "Haswell", "EPYC-Rome"]


@pytest.mark.slow
@pytest.mark.parametrize("processor", PROCESSORS)
def test_other_processors_give_the_promised_bytes(
    clone: Clone, emulator: str, processor: str
) -> None:
    checkout = clone("processor")
    told = checkout(emulator, "-cpu", processor, sys.executable, "-c", COMPUTE)
    # The emulator warns of what it lacks with every thread that starts, after the last line too.
    (answer,) = (line for line in told.splitlines() if line.startswith("{"))
    assert json.loads(answer) == promised()


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["1", "2"])
def test_every_combination_of_machine_settings(clone: Clone, threads: str) -> None:
    checkout = clone("machines")
    for aten, mkl, blas, numpy_off in itertools.product(
        ("default", "avx2", "avx512"),
        ("COMPATIBLE", "AVX2", "AVX512"),
        ("Prescott", "Haswell"),
        ("", NUMPY_OFF),
    ):
        machine = {
            "OMP_NUM_THREADS": threads,
            "ATEN_CPU_CAPABILITY": aten,
            "MKL_CBWR": mkl,
            "OPENBLAS_CORETYPE": blas,
            "NPY_DISABLE_CPU_FEATURES": numpy_off,
        }
        assert computed(checkout, machine) == promised(), machine
    checkout("git", "diff", "--exit-code")

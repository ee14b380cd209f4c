"""The same bytes and one run each, however and wherever the pipeline is run (levels R1 and R2)."""

import hashlib
import json
import re
from urllib.parse import unquote

import onnx
import pytest
import yaml
from conftest import Checkout, Clone, TrackedRun, job_text, wait_for_queue
from promised_bytes import ELSEWHERE, computed, promised

# A larger job may come out different with another number of threads.
ELSEWHERE_SAME_THREADS = {k: v for k, v in ELSEWHERE.items() if k != "OMP_NUM_THREADS"}


def assert_complete(run: TrackedRun, checkout: Checkout) -> None:
    """Check that a run has everything that a finished run must have."""
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


def assert_leads_back(run: TrackedRun, checkout: Checkout) -> None:
    """Check that the ONNX file, run.json, dvc.lock and the run name the same ids and md5s."""
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


@pytest.mark.slow
def test_a_clone_elsewhere_gives_the_committed_bytes(clone: Clone) -> None:
    """Another folder, locale, time zone, hash seed and thread count; plain, then forced."""
    checkout = clone("-Größe 2 ☃ 'a' \"b\" #;$&[*\\\n2")
    checkout.variables = ELSEWHERE
    checkout("dvc", "repro")
    assert checkout.status() == ""
    checkout("git", "diff", "--exit-code")
    (first,) = checkout.runs()
    assert_complete(first, checkout)
    assert first.name.startswith("committed params (")
    assert_leads_back(first, checkout)

    assert "ONNX file verified" in checkout("dvc", "repro", "-f")
    assert checkout.status() == ""
    checkout("git", "diff", "--exit-code")
    (second,) = checkout.runs()
    assert_complete(second, checkout)
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
    assert_complete(faster, checkout)
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
    assert_complete(five, checkout)
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
    assert_complete(run, checkout)
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
        assert_complete(run, checkout)
    assert sorted(run.params["train.lr"] for run in runs) == ["0.005", "0.011", "0.012"]
    assert len(checkout.all_runs()) == 3
    assert len({run.tags["dvc.experiment"] for run in runs}) == 3


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
    md5s = []
    for place, machine in (("here", {}), ("dort drüben", ELSEWHERE_SAME_THREADS)):
        checkout = clone(place)
        (checkout.path / "params.yaml").write_text(text)
        md5s.append(computed(checkout, machine))
    assert md5s[0] == md5s[1]
    assert md5s[0].keys() == promised().keys()
    # Neither job has a path of penalties, nor rows held out that came from a file.
    same = {path for path, md5 in promised().items() if md5s[0][path] == md5}
    assert same == {"data/source_rows_test.parquet", "reports/path.csv"}

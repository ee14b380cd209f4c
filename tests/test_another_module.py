"""A user's own module goes through the whole pipeline."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT, Clone, job, make
from fitted_tables import fit_job, onnx_answers, write_table
from own_modules import asked
from stage_runs import run_stages

from pipeline.report import summary
from pipeline.settings import csv_cells, files, ids

NET = """
from torch import nn


class Net(nn.Module):
    def __init__(self, features, targets):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, targets))

    def forward(self, x):
        return self.layers(x)
"""


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_documented_network_goes_through_the_documented_pipeline(
    workspace: Path, seed: int
) -> None:
    """docs/another-module.md: its network and its module on its table, with its settings."""
    page = (ROOT / "docs/another-module.md").read_text()
    text = (ROOT / "docs/your-own-table.md").read_text()
    (code, *_) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    Path("modules/my_models.py").write_text(code)
    (make_table,) = re.findall(r'^python -c "(import pandas; .*)"$', text, re.MULTILINE)
    files.RAW.mkdir(parents=True)
    exec(make_table)
    (proposal,) = re.findall(r"^proposal for params.yaml, .*:\n((?: .*\n)+)", text, re.MULTILINE)
    network, own = re.findall(r"^dvc exp run --name \w+ (-S .*)$", page, re.MULTILINE)
    settings = dict(re.findall(r"-S '?([\w.]+)=([^\s']+)", own if seed % 2 else network))
    changes = {key.replace(".", "__"): yaml.safe_load(value) for key, value in settings.items()}
    changes |= {f"data__{key}": value for key, value in yaml.safe_load(proposal).items()}
    changes |= {
        "data__source": "data/raw/cars.csv",
        "data__targets": ["Miles_per_Gallon"],
        "data__drop_rows": "missing_target",
        "data__test_fraction": 0.2,
        "evaluate__queries": [],
    }
    assert len(changes) >= 11
    make(job(seed=seed, **changes))  # raises if a check of the ONNX file fails
    metrics = json.loads(files.METRICS.read_text())
    assert metrics["train"]["r2"] > 0.4
    assert metrics["test"]["r2"] > 0.3
    told = json.loads(files.VERIFICATION.read_text())
    assert "16 times the root mean square of what random rounding errors" in told["allowed"]


def test_a_model_that_is_worse_than_the_mean_says_so(workspace: Path) -> None:
    params = asked(
        model__hidden=[8],
        model__activation="tanh",
        data__generate__bias=[1000.0],
        data__generate__noise=1.0,
        data__test_fraction=0.3,
        train__epochs=2,
    )
    make(params)
    metrics = json.loads(files.METRICS.read_text())
    assert metrics["test"]["r2"] < 0
    told = "\n".join(summary.lines(params))
    worse = "on the rows held out the model is worse than answering each row with the mean of the"
    assert worse in told
    assert worse in files.CARD.read_text()
    assert f"final loss   {metrics['train']['loss']:.9g} (mean of the squared errors" in told
    make(asked(model__hidden=[8], data__test_fraction=0.3, train__lr=0.1, train__epochs=100))
    assert json.loads(files.METRICS.read_text())["test"]["r2"] > 0
    assert "worse than answering" not in files.CARD.read_text()


@pytest.mark.slow
@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_another_module_runs_all_five_stages(workspace: Path, standardize: bool, own: bool) -> None:
    """The network of the settings, and one of a file of the user's."""
    Path("modules/my_models.py").write_text(NET)
    network = {"model__hidden": [8], "model__activation": "tanh"}
    x = np.linspace(-3, 3, 200)
    write_table("bent.csv", ["x", "y"], np.column_stack([x + 10, x**2]))
    params = fit_job(
        "bent.csv",
        **{"model__module": "my_models.Net"} if own else network,
        model__standardize=standardize,
        data__test_fraction=0.2,
        train__optimizer="adam",
        train__lr=0.02,
        train__epochs=800,
        evaluate__queries=[[10.0], [12.0]],
    )
    run_stages(params)
    assert files.COEFFICIENTS.read_text().count("\n") == 1, "a header and no coefficients"
    assert not (files.PLOTS / "coefficients.svg").exists()
    metrics = json.loads(files.METRICS.read_text())
    first, second = csv_cells.read_csv(files.PREDICTIONS)
    np.testing.assert_allclose(
        onnx_answers(np.array([[10.0], [12.0]])).ravel(),
        [float(first["y"]), float(second["y"])],
        rtol=1e-5,
        atol=1e-5,
    )
    if standardize:
        assert metrics["test"]["r2"] > 0.99
        assert metrics["reference"]["r2"] < 0.1, "no line fits a parabola"
        assert metrics["reference"]["gap"] < 0
    lines = summary.lines(params)
    assert not [line for line in lines if line.startswith(("w ", "b ", "optimum"))]
    assert [line for line in lines if line.startswith("best line ")]


@pytest.mark.slow
def test_an_edit_of_the_file_trains_again(clone: Clone) -> None:
    """The file is a dependency: no result is kept that other code has made."""
    checkout = clone("own")
    file, model = checkout.path / "modules/my_models.py", checkout.path / files.MODEL
    asked_for = ("-S", "model.module=my_models.Net", "-S", "train.optimizer=adam")
    told = checkout("dvc", "exp", "run", *asked_for, ok=False)
    assert "there is no file modules/my_models.py; write it there" in told
    assert "Traceback" not in told
    file.write_text(NET)
    checkout("dvc", "exp", "run", *asked_for)
    first = ids.trained_by(model).id
    assert "modules" not in checkout("dvc", "status")
    file.write_text(NET.replace("nn.Tanh", "nn.ReLU"))
    assert checkout("dvc", "status").count("modified:           modules\n") == 3
    checkout("git", "add", "modules")
    checkout("git", "commit", "--quiet", "--all", "--message=a network")
    checkout("dvc", "exp", "run", "--temp", "--name", "apart", "-S", "train.epochs=50")
    assert ids.trained_by(model).id == first, "a temporary experiment leaves this folder alone"
    checkout("dvc", "repro")
    assert ids.trained_by(model).id not in (first, "")
    run = checkout.runs()[-1]
    assert run.params["model.module"] == "my_models.Net"

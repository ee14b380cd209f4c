"""A module of one's own: what is trained is what ships, and what cannot be is refused at once."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from conftest import ROOT, job, make
from torch import nn
from torch.nn import functional

from pipeline.learning import prediction, module_checks, training, weights
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.module import LinearModel, Standardized
from pipeline.report import summary
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table
from pipeline.tracking import description
from pipeline.tracking.provenance import Origin

Build = Callable[[int, int], nn.Module]
"""From the number of features and of targets to a module."""


def normed(features: int, targets: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(features, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, targets)
    )


def dropping(features: int, targets: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Dropout(0.4), nn.Linear(8, targets))


def plain(features: int, targets: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, targets))


class Network(nn.Module):
    """Three layers and an answer that each test changes a little."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, 8)
        self.last = nn.Linear(8, targets)

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(torch.tanh(self.first(x)))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Let `module.build` return another module."""

    def put(build: Build) -> None:
        monkeypatch.setattr("pipeline.learning.module.build", lambda _, *sizes: build(*sizes))

    return put


def asked(**changes: Any) -> Params:
    return job(
        **{
            "data__features": ["a", "b"],
            "data__generate__x": None,
            "data__generate__rows": 40,
            "data__generate__weight": [[1.0], [-2.0]],
            "evaluate__queries": [],
            "train__optimizer": "adam",
            "train__epochs": 12,
            "train__batch_size": 16,
            "train__reduction": "mean",
        }
        | changes
    )


def rows(count: int = 40, seed: int = 0, size: float = 1.0) -> Table:
    x = np.random.default_rng(seed).normal(size=(count, 2))
    y = size * (np.sin(x[:, :1]) - 2 * x[:, 1:]) + 3 * size
    return Table(("a", "b", "y"), np.hstack([x, y]))


def state(module: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def refused(params: Params, table: Table | None = None) -> str:
    """Why a training does not start."""
    epochs: list[int] = []
    with pytest.raises(UserError) as caught:
        training.train(params, table or rows(), on_epoch=lambda epoch, *_: epochs.append(epoch))
    assert not epochs, "it was trained before it was refused"
    return str(caught.value)


@pytest.mark.parametrize("build", [normed, dropping])
@pytest.mark.parametrize("standardize", [False, True])
def test_other_held_out_rows_leave_every_byte_alone(
    use: Callable[[Build], None], build: Build, standardize: bool
) -> None:
    use(build)
    params = asked(model__standardize=standardize, data__test_fraction=0.2)
    found = [
        training.train(params, rows(), held_out)
        for held_out in (None, rows(10, 1), rows(25, 2, size=100.0))
    ]
    states, histories = [state(module) for module, _ in found], [each for _, each in found]
    assert states[0] == states[1] == states[2]
    losses = [[loss for loss, _ in history] for history in histories]
    assert losses[0] == losses[1] == losses[2]
    watched = [[held_out for _, held_out in history] for history in histories[1:]]
    assert watched[0] != watched[1]


def test_the_held_out_loss_is_that_of_the_module_that_ships(use: Callable[[Build], None]) -> None:
    use(normed)
    params = asked(data__test_fraction=0.2, train__patience=100, train__dtype="float64")
    held_out = rows(10, 1)
    module, history = training.train(params, rows(), held_out)
    answers = prediction.predict(module, held_out.columns(("a", "b")))
    best = min(loss for _, loss in history if loss is not None)
    loss = np.mean((answers - held_out.columns(("y",))) ** 2)
    assert loss <= best * (1 + 1e-12), "patience keeps the best one"


def test_a_part_that_was_frozen_stays_frozen(use: Callable[[Build], None]) -> None:
    def build(features: int, targets: int) -> nn.Module:
        module = normed(features, targets)
        module[1].eval()  # type: ignore[index]
        return module

    use(build)
    module, _ = training.train(asked(data__test_fraction=0.2), rows(), rows(10, 1))
    assert module.state_dict()["1.num_batches_tracked"] == 0


@pytest.mark.parametrize("build", [normed, dropping])
def test_a_killed_training_of_such_a_module_ends_with_the_same_bits(
    workspace: Path, use: Callable[[Build], None], build: Build
) -> None:
    use(build)
    params = asked(data__test_fraction=0.2, train__patience=9, model__standardize=True)

    class KilledError(Exception):
        pass

    def fitted(checkpoint: Checkpoint, die_after: int | None = None) -> Any:
        def tell(epoch: int, *_: Any) -> None:
            checkpoint.times.append(epoch)
            if epoch == die_after:
                raise KilledError

        module, history = training.train(params, rows(), rows(10, 1), tell, checkpoint)
        return state(module), history

    whole = fitted(Checkpoint("whole", None))
    for epoch in (2, 7):
        with pytest.raises(KilledError):
            fitted(Checkpoint("id", 0), epoch)
    assert fitted(Checkpoint("id", 0)) == whole


class Forgetful(Network):
    """Learns a mean that its file does not hold: an attribute, or a buffer that is no state."""

    def __init__(self, features: int, targets: int, *, buffer: bool) -> None:
        super().__init__(features, targets)
        if buffer:
            self.register_buffer("mean", torch.zeros(features), persistent=False)
        else:
            self.mean = torch.zeros(features)

    def forward(self, x: torch.Tensor) -> Any:
        if self.training:
            self.mean = x.detach().mean(0) + 1
        return super().forward(x - self.mean.to(x.dtype))


class Drawn(Network):
    """Draws numbers of its own when it is made, which its file does not hold."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__(features, targets)
        self.draw = torch.randn(features)

    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x * self.draw.to(x.dtype))


@pytest.mark.parametrize(
    "build",
    [lambda *n: Forgetful(*n, buffer=False), lambda *n: Forgetful(*n, buffer=True), Drawn],
    ids=["attribute", "buffer", "drawn"],
)
def test_what_a_file_would_not_hold_is_seen_before_training(
    use: Callable[[Build], None], build: Build
) -> None:
    use(build)
    told = refused(asked())
    assert told.startswith("module.build: the module answers otherwise once it is saved and loaded")
    assert "self.register_buffer(name, tensor)" in told


def test_what_is_trained_is_compared_with_what_ships(use: Callable[[Build], None]) -> None:
    """Only the trained module shows it: it learns its mean when the epochs are over."""

    class Late(Forgetful):
        def forward(self, x: torch.Tensor) -> Any:
            return Network.forward(self, x - self.mean.to(x.dtype))

    use(lambda *sizes: Late(*sizes, buffer=False))
    params, table = asked(), rows()
    module, _ = training.train(params, table)
    x = table.columns(("a", "b"))
    module_checks.compare(module, params, x)
    setattr(module, "mean", torch.full((2,), 1e-3))  # noqa: B010
    with pytest.raises(UserError, match=r"at training row 1 y is \S+ before, and \S+ after"):
        module_checks.compare(module, params, x)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("trained", ["float32", "float64"])
@pytest.mark.parametrize("shipped", ["float32", "float64"])
@pytest.mark.parametrize("build", [plain, normed, LinearModel])
def test_a_module_is_the_same_before_and_after_whatever_its_precision(
    use: Callable[[Build], None], build: Build, trained: str, shipped: str, standardize: bool
) -> None:
    use(build)
    params = asked(
        model__dtype=shipped, train__dtype=trained, model__standardize=standardize, train__lr=0.1
    )
    training.train(params, rows(size=1e4))  # compares them


class Squeezed(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x).squeeze()


class Turned(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x).T


class Both(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x), x


class Half(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x).half()


class InPlace(Network):
    def forward(self, x: torch.Tensor) -> Any:
        x -= 1
        return super().forward(x)


class AlwaysDropping(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(functional.dropout(x, 0.5))


class Beside(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x - x.mean(0))


class Hidden(nn.Module):
    """Layers in a list, where torch does not find them."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        self.layers = [nn.Linear(features, targets)]

    def forward(self, x: torch.Tensor) -> Any:
        return self.layers[0](x)


class Detached(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x).detach()


class Narrow(Network):
    def __init__(self, features: int, targets: int) -> None:
        super().__init__(features + 1, targets)


class Constant(Network):
    """A constant of a fixed precision that is no buffer."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__(features, targets)
        self.scale = torch.ones(features, features)

    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x @ self.scale)


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (Squeezed, "answers 3 rows with the shape [3]; must be [3, 1]"),
        (Turned, "answers 3 rows with the shape [1, 3]; must be [3, 1]"),
        (Both, "answers with a tuple; must be one tensor"),
        (Half, "answers float32 rows in float16; must be the same type"),
        (InPlace, "changes the rows that it is given"),
        (AlwaysDropping, "answers the same rows differently the second time"),
        (Beside, "answers a row differently when other rows are beside it"),
        (Hidden, "has no parameters to train"),
        (Detached, "cannot be trained on two rows: RuntimeError: element 0"),
        (Narrow, "cannot answer two rows of 2 features: RuntimeError: mat1 and mat2"),
        (Constant, "cannot answer in float64, in which it is measured: RuntimeError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_module_that_cannot_be_trained_is_refused_before_the_first_epoch(
    use: Callable[[Build], None], build: type[nn.Module], said: str
) -> None:
    use(build)
    told = refused(asked())
    assert told.startswith(f"module.build: {build.__name__} ")
    assert said in told


def test_what_is_no_module_is_refused(use: Callable[[Build], None]) -> None:
    use(lambda *_: torch.tanh)  # type: ignore[arg-type]
    assert "must return an nn.Module" in refused(asked())


class Tied(nn.Module):
    """A layer used twice, and one whose weights are another's."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        twice = nn.Linear(features, features)
        self.layers = nn.Sequential(twice, nn.Tanh(), twice, nn.Tanh())
        self.mirror = nn.Linear(features, features)
        self.mirror.weight = twice.weight
        self.last = nn.Linear(features, targets)

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(self.mirror(self.layers(x)))


class Growing(nn.Module):
    """Makes its layers in its first forward: torch's lazy one, and one of its own."""

    def __init__(self, _: int, targets: int) -> None:
        super().__init__()
        self.lazy = nn.LazyLinear(6)
        self.last: nn.Module | None = None
        self.targets = targets

    def forward(self, x: torch.Tensor) -> Any:
        h = torch.tanh(self.lazy(x))
        if self.last is None:
            self.last = nn.Linear(h.shape[1], self.targets)
        return self.last(h)


@pytest.mark.parametrize("build", [Tied, Growing])
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_tied_and_lazy_layers_are_trained_saved_and_loaded(
    workspace: Path, use: Callable[[Build], None], build: Build, optimizer: str
) -> None:
    use(build)
    batch = None if optimizer == "lbfgs" else 16
    params = asked(train__optimizer=optimizer, train__batch_size=batch, train__lr=0.1)
    table = rows()
    checkpoint = Checkpoint("id", 0)
    module, history = training.train(params, table, checkpoint=checkpoint)
    assert checkpoint.path.exists(), "its state can be kept"
    assert history[-1][0] < history[0][0] / 3
    weights.save(files.MODEL, module, torch.float32, "id")
    loaded = weights.load(files.MODEL, params.model, 2, 1)
    assert state(loaded) == state(module)
    x = table.columns(("a", "b"))
    np.testing.assert_array_equal(prediction.predict(loaded, x), prediction.predict(module, x))


@pytest.mark.parametrize(("size", "better"), [(8, 7), (16, 15), (32, 31)])
def test_a_last_batch_of_one_row(use: Callable[[Build], None], size: int, better: int) -> None:
    use(normed)
    table = rows(33)
    told = refused(asked(train__batch_size=size), table)
    assert "cannot be trained on one row: ValueError: Expected more than 1 value" in told
    assert f"train.batch_size: found {size}, whose last batch of the 33 rows has one row" in told
    assert f"set it to {better}" in told
    training.train(asked(train__batch_size=better), table)
    assert refused(asked(train__batch_size=None), rows(1)).endswith("; bring more rows")
    use(plain)
    training.train(asked(train__batch_size=size), table)


@pytest.mark.parametrize(
    ("build", "why"), [(dropping, "draws random numbers"), (normed, "changes 1.running_mean")]
)
def test_lbfgs_needs_one_loss_for_the_same_parameters(
    use: Callable[[Build], None], build: Build, why: str
) -> None:
    use(build)
    told = refused(asked(train__optimizer="lbfgs", train__batch_size=None))
    assert told.startswith("train.optimizer: found lbfgs")
    assert why in told
    assert told.endswith("set it to adam or sgd")


def test_the_checks_leave_the_training_as_it_was(
    use: Callable[[Build], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(dropping)
    checked, history = training.train(asked(), rows())
    monkeypatch.setattr(module_checks, "check", lambda *_: None)
    unchecked, same = training.train(asked(), rows())
    assert state(checked) == state(unchecked)
    assert history == same


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
@pytest.mark.parametrize("build", [normed, dropping])
def test_a_gpu_gives_the_same_bits_twice_whatever_is_held_out(
    use: Callable[[Build], None], build: Build
) -> None:
    use(build)
    params = asked(train__device="cuda", model__standardize=True, data__test_fraction=0.2)
    found = [training.train(params, rows(), held_out)[0] for held_out in (None, None, rows(10, 1))]
    assert state(found[0]) == state(found[1]) == state(found[2])


# Scaled targets


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3, 1e7])
def test_a_network_learns_targets_of_any_size_alike(
    use: Callable[[Build], None], optimizer: str, size: float
) -> None:
    use(plain)
    params = asked(
        model__standardize=True,
        train__optimizer=optimizer,
        train__lr=0.2 if optimizer == "sgd" else 0.02,
        train__epochs=120,
    )
    table = rows(size=size)
    module, history = training.train(params, table)
    answers = prediction.predict(module, table.columns(("a", "b")))
    y = table.columns(("y",))
    assert 1 - np.mean((answers - y) ** 2) / np.var(y) > 0.98
    # The losses are in the table's units, as the metrics are.
    assert history[0][0] == pytest.approx(np.var(y), rel=1)
    assert history[-1][0] == pytest.approx(np.mean((answers - y) ** 2), rel=0.3)


def test_what_is_scaled_is_in_the_shipped_module(use: Callable[[Build], None]) -> None:
    use(plain)
    table = rows(size=1e3)
    module, _ = training.train(asked(model__standardize=True), table)
    assert isinstance(module, Standardized)
    shipped = module.state_dict()
    y = table.columns(("y",))
    assert shipped["target_mean"].item() == np.float32(y.mean())
    assert shipped["target_deviation"].item() == pytest.approx(y.std(), rel=1e-6)
    x = torch.tensor(table.columns(("a", "b")), dtype=torch.float32)
    with torch.no_grad():
        inner = module.module((x - shipped["mean"]) / shipped["deviation"])
        again = shipped["target_mean"] + shipped["target_deviation"] * inner
        assert torch.equal(module(x), again)


def test_a_target_that_does_not_vary_is_not_divided_by_nothing(
    use: Callable[[Build], None],
) -> None:
    use(plain)
    table = rows()
    table.values[:, 2] = 5.3
    module, _ = training.train(asked(model__standardize=True, train__epochs=300), table)
    answers = prediction.predict(module, table.columns(("a", "b")))
    np.testing.assert_allclose(answers, 5.3, atol=0.2)
    table.values[:, 2] = np.linspace(0, 1e-40, 40)
    assert "model.standardize: y has a deviation of " in refused(
        asked(model__standardize=True), table
    )


def test_a_linear_model_has_no_scaled_targets() -> None:
    module, _ = training.train(asked(model__standardize=True), rows())
    assert set(module.state_dict()) == {"module.linear.weight", "module.linear.bias", "mean",
                                        "deviation"}  # fmt: skip


# The whole pipeline


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 5))]
)
def test_the_documented_network_goes_through_the_documented_pipeline(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """docs/your-own-table.md: its module on its table with its settings, five seeds."""
    text = (ROOT / "docs/your-own-table.md").read_text()
    names: dict[str, Any] = {}
    chapter = text[text.index("## Another model") :]
    (code, *_) = re.findall(r"```python\n(.*?)```", chapter, re.DOTALL)
    exec(code, names)
    monkeypatch.setattr("pipeline.learning.module.build", names["build"])
    (make_table,) = re.findall(r'^python -c "(from sklearn.*)"$', text, re.MULTILINE)
    files.RAW.mkdir(parents=True)
    exec(make_table)
    (command,) = re.findall(r"^dvc exp run (-S data.source=.*)$", text, re.MULTILINE)
    settings = dict(re.findall(r"-S '?([\w.]+)=([^\s']+)", command))
    changes = {key.replace(".", "__"): _value(value) for key, value in settings.items()}
    assert len(changes) >= 8
    make(job(seed=seed, **changes))  # raises if a check of the ONNX file fails
    found = json.loads(files.METRICS.read_text())
    assert found["train"]["r2"] > 0.4
    assert found["test"]["r2"] > 0.3
    told = json.loads(files.VERIFICATION.read_text())
    assert "16 times the root mean square of what random rounding errors" in told["allowed"]


def _value(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


@pytest.mark.parametrize(("r2", "said"), [(-2.94, True), (0.6, False)])
def test_the_description_of_a_run_says_that_its_model_is_worse_than_the_mean(
    r2: float, said: bool
) -> None:
    identity = {"outs": {}, "training_id": "a training", "result_id": "a result"}
    result: Any = SimpleNamespace(identity=identity, metrics={"test.r2": r2})
    told = description.text(result, Origin(name="", commit=None))
    assert ("on the rows held out the model is worse than answering each row" in told) is said


def test_a_model_that_is_worse_than_the_mean_says_so(
    workspace: Path, use: Callable[[Build], None]
) -> None:
    use(plain)
    params = asked(
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
    make(asked(data__test_fraction=0.3, train__lr=0.1, train__epochs=100))
    assert json.loads(files.METRICS.read_text())["test"]["r2"] > 0
    assert "worse than answering" not in files.CARD.read_text()

"""A module of one's own: what cannot be trained, saved and loaded is refused at once."""

from typing import Any
from unittest.mock import patch

import pytest
import torch
from own_modules import (
    Build,
    Network,
    asked,
    dropping,
    normed,
    plain,
    refused,
    rows,
    state,
    use,
)
from torch import nn
from torch.nn import functional

from pipeline.learning import module_checks, training
from pipeline.learning.module import LinearModel
from pipeline.settings.errors import UserError


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
    monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    use(monkeypatch, build)
    told = refused(asked())
    assert told.startswith("model.module: the module answers otherwise once it is saved and loaded")
    assert "self.register_buffer(name, tensor)" in told


def test_what_is_trained_is_compared_with_what_ships(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the trained module shows it: it learns its mean when the epochs are over."""

    class Late(Forgetful):
        def forward(self, x: torch.Tensor) -> Any:
            return Network.forward(self, x - self.mean.to(x.dtype))

    use(monkeypatch, lambda *sizes: Late(*sizes, buffer=False))
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
@pytest.mark.parametrize(
    "build",
    [*(pytest.param(build, marks=pytest.mark.slow) for build in (plain, normed)), LinearModel],
)
def test_a_module_is_the_same_before_and_after_whatever_its_precision(
    monkeypatch: pytest.MonkeyPatch, build: Build, trained: str, shipped: str, standardize: bool
) -> None:
    use(monkeypatch, build)
    params = asked(
        model__dtype=shipped, train__dtype=trained, model__standardize=standardize, train__lr=0.1
    )
    with patch.object(module_checks, "compare", wraps=module_checks.compare) as compared:
        training.train(params, rows(size=1e4))
    compared.assert_called_once()


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


class NotFinite(Network):
    def forward(self, x: torch.Tensor) -> Any:
        return super().forward(x) / 0.0


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
        (NotFinite, "answers with NaN or infinite numbers before the first epoch"),
        (Hidden, "has no parameters to train"),
        (Detached, "cannot be trained on two rows: RuntimeError: element 0"),
        (Narrow, "cannot answer two rows of 2 features: RuntimeError: mat1 and mat2"),
        (Constant, "cannot answer in float64, in which it is measured: RuntimeError"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_module_that_cannot_be_trained_is_refused_before_the_first_epoch(
    monkeypatch: pytest.MonkeyPatch, build: type[nn.Module], said: str
) -> None:
    use(monkeypatch, build)
    told = refused(asked())
    assert told.startswith(f"model.module: {build.__name__} ")
    assert said in told


@pytest.mark.parametrize(("size", "better"), [(8, 7), (16, 15), (32, 31)])
def test_a_last_batch_of_one_row(monkeypatch: pytest.MonkeyPatch, size: int, better: int) -> None:
    use(monkeypatch, normed)
    table = rows(33)
    told = refused(asked(train__batch_size=size), table)
    assert "cannot be trained on one row: ValueError: Expected more than 1 value" in told
    assert f"train.batch_size: found {size}, whose last batch of the 33 rows has one row" in told
    assert f"set it to {better}" in told
    training.train(asked(train__batch_size=better), table)
    assert refused(asked(train__batch_size=None), rows(1)).endswith("; bring more rows")
    use(monkeypatch, plain)
    training.train(asked(train__batch_size=size), table)


@pytest.mark.parametrize(
    ("build", "why"), [(dropping, "draws random numbers"), (normed, "changes 1.running_mean")]
)
def test_lbfgs_needs_one_loss_for_the_same_parameters(
    monkeypatch: pytest.MonkeyPatch, build: Build, why: str
) -> None:
    use(monkeypatch, build)
    told = refused(asked(train__optimizer="lbfgs", train__batch_size=None))
    assert told.startswith("train.optimizer: found lbfgs")
    assert why in told
    assert told.endswith("set it to adam or sgd")


def test_the_checks_leave_the_training_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, dropping)
    checked, history = training.train(asked(), rows())
    monkeypatch.setattr(module_checks, "check", lambda *_: None)
    unchecked, same = training.train(asked(), rows())
    assert state(checked) == state(unchecked)
    assert history == same

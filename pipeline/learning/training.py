"""Training: from a table and a seed to a fitted model.

`fit` is the training cycle: forward, loss, backward, update, zero the gradients.
"""

import functools
import math
import os
from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from tqdm import tqdm

from pipeline.learning import construction, divergence, module_checks, scaling, weights
from pipeline.learning.inference import eval_mode
from pipeline.learning.module import LinearModel, Standardized
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines
from pipeline.settings.params import Params, Train
from pipeline.settings.seeds import stream
from pipeline.tables.table import Table

if TYPE_CHECKING:
    from pipeline.exact.gram import Gram
    from pipeline.exact.least_squares import Fit

Epoch = tuple[float, float | None]
"""The loss of an epoch, before its updates, and that of the rows held out, if there are any."""

OnEpoch = Callable[[int, float, float | None], None]
"""Is told each epoch, from 1, and its losses, as soon as they are known."""

State = dict[str, Any]
"""All that a training needs to go on: dicts and lists of tensors, numbers, strings and None."""


class Keeper(Protocol):
    """Keeps the state of a training, for when it is killed; `checkpoint.Checkpoint` is one."""

    def load(self) -> State | None:
        """What was kept last, if anything."""

    def is_due(self) -> bool:
        """Whether it is time to keep the state again; asked after each epoch."""

    def save(self, state: State) -> None:
        """Keep `state`, which the training goes on to change."""


Pair = tuple[torch.Tensor, torch.Tensor]
"""x [rows, features] and y [rows, targets]."""

# A loss this many times the largest of the first one and that of predicting zero is no fit any
# more: it would take the whole range of float32 to say so by itself.
DIVERGED = 1e6


class DivergedError(UserError):
    """The loss grows instead of shrinking."""

    def __init__(self, epoch: int, what: str) -> None:
        super().__init__(f"the fit diverged: in epoch {epoch} {what}")


def train(
    params: Params,
    rows: Table,
    held_out: Table | None = None,
    on_epoch: OnEpoch = lambda *_: None,
    keeper: Keeper | None = None,
) -> tuple[nn.Module, list[Epoch]]:
    """Build the model that `params` asks for, as its seed starts it, and fit it to `rows`.

    held_out: rows to watch the fit on; may be empty.
    keeper: may have the state of the same training, killed before its end, to go on from.
    Gives the fitted module and the losses of each epoch, measured before its updates.
    Raises UserError if the fit diverges or has no answer, with what to change.
    """
    if held_out is not None and not len(held_out.values):
        held_out = None
    if params.train.optimizer == "exact":
        return solve(params, rows, held_out, on_epoch)
    x, y = tensors(params, rows)
    watched = tensors(params, held_out) if held_out else None
    torch.manual_seed(params.seed)
    module = trained = construction.initial(params.model, x.shape[1], y.shape[1])
    unit = None
    if params.model.standardize and isinstance(module, LinearModel):
        module = trained = Standardized(module, *scaling.of_features(params, rows))
    elif params.model.standardize:
        # It learns in standard units, whose size no learning rate has to be made for.
        scales = (*scaling.of_features(params, rows), *scaling.of_targets(params, rows))
        module = Standardized(trained, *scales).to(x.device, x.dtype)
        x, y = module.scaled(x), scaling.standard_targets(module, params, rows, y)
        if held_out and watched:
            targets = scaling.standard_targets(module, params, held_out, watched[1])
            watched = module.scaled(watched[0]), targets
        unit = module.target_deviation
    module.to(x.device, x.dtype)
    module_checks.check(params, x, y)
    watch = _Watch(params.train.lr, lambda: _largest_lr(params, module, x), on_epoch)
    shuffle = stream(params.seed, "shuffle")
    try:
        history = fit(trained, x, y, params.train, shuffle, watch, watched, keeper, unit)
    except DivergedError as error:
        raise UserError(f"{error}; {watch.advice()}") from None
    some = Table(rows.names, rows.values[: module_checks.ROWS])
    module_checks.compare(module, params, some.columns(rows.features(params.data.targets)))
    return module.eval(), history


def solve(
    params: Params, rows: Table, held_out: Table | None, on_epoch: OnEpoch
) -> tuple[nn.Module, list[Epoch]]:
    """The least-squares solution, without rounding error until it is rounded to model.dtype.

    Gives the module in that precision, and its losses as those of a single epoch.
    Raises UserError if there is no single solution, or none that makes sense, unless
    train.allow_dependent is true, and if a weight is beyond what model.dtype holds.
    """
    # Only here: other trainings have no need of FLINT.
    from pipeline.exact import least_squares
    from pipeline.exact.gram import gram_matrix
    from pipeline.learning import fit_messages

    targets = params.data.targets
    features = rows.features(targets)
    fit_messages.announce(len(features))
    gram = gram_matrix(rows.values)
    found = least_squares.fit(
        gram, features, targets, params.model.bias, roundoff=rows.roundoff(features)
    )
    if not params.train.allow_dependent:
        _refuse_dependent(found)
    dtype = weights.DTYPES[params.model.dtype]
    mean = scaling.gram_means(params, gram, len(features), dtype)
    centre = mean.double().numpy() if mean is not None else None
    weight, bias = found.shipped(params.model.dtype, centre)
    module: nn.Module = construction.linear(
        torch.from_numpy(weight), torch.from_numpy(bias), params.model
    )
    if mean is not None:
        module = Standardized(module, mean, None)
    weights.rounded(module, dtype)  # or it says which number is too large
    exact = functools.partial(_exact_loss, params, weight, bias, centre)
    epoch = (
        exact(gram),
        exact(gram_matrix(held_out.values)) if held_out else None,
    )
    on_epoch(1, *epoch)
    return module, [epoch]


def check(params: Params, rows: Table, held_out: Table) -> None:
    """See that a training can start.

    Raises UserError for a GPU that is not there, for a number beyond the range of model.dtype or
    train.dtype, for fewer rows than the closed form needs, and for a feature called bias, which
    params.yaml alone cannot see where the features come from a file.
    """
    choose_device(params.train.device)
    features = rows.features(params.data.targets)
    if params.model.bias and "bias" in features:
        raise UserError(
            f"{files.TRAIN}: found a feature called bias, which is what coefficients.csv calls the"
            " model's own; rename the column, or set model.bias to false"
        )
    terms = len(features) + params.model.bias
    if params.train.optimizer == "exact" and len(rows.values) < terms:
        raise UserError(
            f"train.optimizer: exact fits {terms} numbers (one for each feature"
            f"{' and the bias' if params.model.bias else ''}) and needs as many rows, but found"
            f" {len(rows.values)} for training; name fewer data.features, or bring more rows"
        )
    # What is beyond the range of the model that ships could not be sent to it.
    kinds = {"model.dtype": params.model.dtype}
    if params.train.optimizer != "exact":
        kinds["train.dtype"] = params.train.dtype
    for key, dtype in kinds.items():
        for path, table in ((files.TRAIN, rows), (files.TEST, held_out)):
            _in_range(path, table, dtype, key)


def tensors(params: Params, rows: Table) -> Pair:
    """The features and the targets of `rows`, in train.dtype, on train.device."""
    device = choose_device(params.train.device)
    dtype = weights.DTYPES[params.train.dtype]
    targets = params.data.targets
    x, y = (tensor(rows, names, dtype) for names in (rows.features(targets), targets))
    return x.to(device), y.to(device)


def choose_device(asked: str) -> torch.device:
    """The device that `train.device` asks for. Raises UserError for a GPU that is not there."""
    if asked == "cpu" or (asked == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            "train.device: found cuda, but torch finds no CUDA GPU here; set it to cpu, or to auto"
            " to use a GPU only where there is one"
        )
    # cuBLAS gives the same bits from run to run only with this, set before it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def fit(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    settings: Train,
    shuffle: np.random.Generator,
    on_epoch: OnEpoch,
    held_out: Pair | None = None,
    keeper: Keeper | None = None,
    unit: torch.Tensor | None = None,
) -> list[Epoch]:
    """Train `module` in place and give the losses of each epoch, measured before its updates.

    x: [rows, features]; y: [rows, targets]; both of the module's dtype and on its device.
    shuffle: draws the order of the rows of each epoch, if they are taken in batches.
    held_out: x and y of rows that are not trained on. With train.patience the module ends with the
    parameters that had the smallest loss on them.
    keeper: keeps the state after an epoch, and may have one to go on from, with its epochs.
    unit: the size of 1 in each column of y, [targets], for losses in the table's units. The
    gradients are those of the loss in the units of y.
    Raises DivergedError as soon as the loss shows that no fit will come of it.
    """
    criterion = nn.MSELoss(reduction=settings.reduction)
    optimizer = _optimizer(module, settings, lambda: criterion(module(x), y))
    measure = criterion if unit is None else _InUnits(criterion, unit)
    limit = DIVERGED * measure(torch.zeros_like(y), y).item()
    best = _Best(module, settings.patience)
    history: list[Epoch] = []
    if keeper is not None and (state := keeper.load()) is not None:
        limit, history = _go_on(state, module, optimizer, shuffle, best)

    # The bar shows itself after a second, and only on a terminal.
    for epoch in tqdm(
        range(len(history) + 1, settings.epochs + 1),
        "training",
        unit=" epochs",
        initial=len(history),
        total=settings.epochs,
        delay=1,
        disable=None,
    ):
        watched = _loss(module, measure, held_out)
        best.note(epoch, watched)
        total = 0.0
        for rows_x, rows_y in _batches(x, y, settings.batch_size, shuffle):
            prediction = module(rows_x)
            loss = criterion(prediction, rows_y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if unit is not None:
                loss = measure(prediction.detach(), rows_y)
            # A mean over a batch counts as much as the batch has rows.
            total += loss.item() * (len(rows_x) / len(x) if settings.reduction == "mean" else 1)
        if epoch == 1:
            limit = max(limit, DIVERGED * total)
        if not math.isfinite(total) or total > limit:
            raise DivergedError(epoch, f"the loss is {total:.4g}")
        if watched is not None and not math.isfinite(watched):
            raise DivergedError(epoch, f"the loss of the rows held out is {watched:.4g}")
        history.append((total, watched))
        on_epoch(epoch, total, watched)
        if best.is_long_ago(epoch):
            break
        if keeper is not None and keeper.is_due():
            keeper.save(_state(limit, history, module, optimizer, shuffle, best))
    if not all(bool(torch.isfinite(value).all()) for value in module.parameters()):
        raise DivergedError(len(history), "the parameters are infinite")
    best.note(len(history) + 1, _loss(module, measure, held_out))
    best.bring_back()
    return history


def losses(state: State) -> list[Epoch]:
    """The losses of each epoch so far in the state that a `Keeper` has kept."""
    loss, held_out = state["loss"].tolist(), state["held_out"].tolist()
    return list(zip(loss, held_out or [None] * len(loss), strict=True))


def _state(
    limit: float,
    history: list[Epoch],
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    shuffle: np.random.Generator,
    best: "_Best",
) -> State:
    """All that the epochs to come depend on, between two of them."""
    return {
        "limit": limit,
        # As tensors: JSON would take a second for a million epochs.
        "loss": torch.tensor([loss for loss, _ in history], dtype=torch.float64),
        "held_out": torch.tensor([w for _, w in history if w is not None], dtype=torch.float64),
        "module": module.state_dict(),
        "optimizer": optimizer.state_dict(),
        "shuffle": shuffle.bit_generator.state,
        "best": {"loss": best.loss, "epoch": best.epoch, "state": best.state},
        # A module may draw random numbers, as those with dropout do.
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _go_on(
    state: State,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    shuffle: np.random.Generator,
    best: "_Best",
) -> tuple[float, list[Epoch]]:
    """Put back what `_state` gave, and give the limit and the history."""
    module.load_state_dict(state["module"])
    optimizer.load_state_dict(state["optimizer"])
    shuffle.bit_generator.state = state["shuffle"]
    best.loss, best.epoch, best.state = (state["best"][key] for key in ("loss", "epoch", "state"))
    torch.set_rng_state(state["random"])
    if state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return state["limit"], losses(state)


class _Best:
    """Keeps the parameters that had the smallest loss on the rows held out, if patience asks."""

    def __init__(self, module: nn.Module, patience: int | None) -> None:
        self.module = module
        self.patience = patience
        self.loss = math.inf
        self.epoch = 1
        self.state: dict[str, torch.Tensor] | None = None

    def note(self, epoch: int, loss: float | None) -> None:
        """Take note of the loss before the updates of `epoch`."""
        if self.patience is not None and loss is not None and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.state = {k: value.clone() for k, value in self.module.state_dict().items()}

    def is_long_ago(self, epoch: int) -> bool:
        """Whether `patience` epochs have passed since without a better one."""
        return self.patience is not None and epoch - self.epoch >= self.patience

    def bring_back(self) -> None:
        """Give the module the best parameters again."""
        if self.state is not None:
            self.module.load_state_dict(self.state)


class _InUnits(nn.Module):
    """A criterion of answers and targets whose columns are in units of the sizes `unit`."""

    def __init__(self, criterion: nn.Module, unit: torch.Tensor) -> None:
        super().__init__()
        self.criterion = criterion
        self.unit = unit

    def forward(self, answers: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The loss; answers, y: [rows, targets]."""
        loss: torch.Tensor = self.criterion(answers * self.unit, y * self.unit)
        return loss


def _loss(module: nn.Module, criterion: nn.Module, rows: Pair | None) -> float | None:
    """The loss on rows that must leave no trace in the module."""
    if rows is None:
        return None
    with eval_mode(module):
        return float(criterion(module(rows[0]), rows[1]))


class _Lbfgs(torch.optim.LBFGS):
    """L-BFGS that asks for the loss by itself, so that the training cycle is one for all."""

    def __init__(self, module: nn.Module, lr: float, loss: Callable[[], torch.Tensor]) -> None:
        super().__init__(module.parameters(), lr=lr, line_search_fn="strong_wolfe")
        self._loss = loss

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to 20 iterations of L-BFGS, with as many evaluations as the line search needs."""

        def evaluate() -> torch.Tensor:
            self.zero_grad()
            loss = self._loss()
            torch.autograd.backward(loss)
            return loss

        return super().step(closure or evaluate)  # type: ignore[no-untyped-call]


def _optimizer(
    module: nn.Module, settings: Train, loss: Callable[[], torch.Tensor]
) -> torch.optim.Optimizer:
    """The optimizer; loss: evaluates that of all rows, for one that does so more than once."""
    if settings.optimizer == "lbfgs":
        return _Lbfgs(module, settings.lr, loss)
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            module.parameters(),
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            # By itself Adam takes its square roots from MKL, which estimates them with an
            # instruction (rsqrtps) that gives other bits on Intel than on AMD.
            fused=settings.portable or None,
        )
    return torch.optim.SGD(
        module.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        dampening=settings.dampening,
        weight_decay=settings.weight_decay,
        nesterov=settings.nesterov,
    )


def _batches(
    x: torch.Tensor, y: torch.Tensor, size: int | None, shuffle: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """All rows at once and in order, or in batches of `size` in a random order."""
    if size is None:
        yield x, y
        return
    order = torch.from_numpy(shuffle.permutation(len(x))).to(x.device)
    for rows in torch.split(order, size):
        yield x[rows], y[rows]


class _Watch:
    """Passes each epoch's loss on, and stops a descent that cannot arrive.

    Gradient descent on all rows of a linear model's squared error converges only below
    `largest_lr`. Above it a loss that rises will rise for ever: no need to wait for infinity.
    """

    def __init__(self, lr: float, largest_lr: Callable[[], float | None], tell: OnEpoch) -> None:
        self.lr = lr
        # Asked only when a loss rises: a wide table's eigenvalues take longer than its training.
        self.largest_lr = functools.cache(largest_lr)
        self.tell = tell
        self.last = math.inf

    def __call__(self, epoch: int, loss: float, held_out: float | None) -> None:
        """Take note of an epoch's loss. Raises DivergedError if it will rise for ever."""
        self.tell(epoch, loss, held_out)
        if loss > self.last and self.lr > (self.largest_lr() or math.inf):
            raise DivergedError(epoch, f"the loss is {loss:.4g}")
        self.last = loss

    def advice(self) -> str:
        """What to change so that the fit does not diverge."""
        largest = self.largest_lr()
        if largest is None:
            return f"set train.lr below {self.lr:g}, to {self.lr / 10:g} for a start"
        if self.lr <= largest:
            return "the numbers are too large for train.dtype; set it to float64 or scale the table"
        # Rounded down: the number shown must be one that converges.
        shown = float(Context(prec=4, rounding=ROUND_DOWN).create_decimal(largest))
        return (
            f"set train.lr below {shown:g}, the largest that can converge, to {shown / 2:.1g} for a"
            f" start (it is {self.lr:g})"
        )


def _largest_lr(params: Params, module: nn.Module, x: torch.Tensor) -> float | None:
    """The largest lr that can converge, where theory has one: plain descent on all rows at once."""
    settings = params.train
    plain = settings.optimizer == "sgd" and not settings.momentum
    if not plain or settings.batch_size is not None:
        return None
    return divergence.largest_lr(
        module,
        x.cpu().double().numpy(),
        len(params.data.targets),
        settings.weight_decay,
        settings.reduction,
    )


def tensor(rows: Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
    """The columns called `names` as [rows, columns], row-major, rounded once to `dtype`."""
    columns = rows.columns(names)
    # Into a tensor of its own, for plain strides. What NumPy has for a single column, (1, rows),
    # sends its products through routines of MKL that round differently on Intel and AMD.
    return torch.empty(columns.shape, dtype=dtype).copy_(torch.from_numpy(columns))


def _in_range(path: Path, rows: Table, dtype: str, key: str) -> None:
    """Raise UserError if a number is beyond what `dtype`, asked for by `key`, holds."""
    with np.errstate(over="ignore"):
        largest = np.abs(rows.values).max(axis=0, initial=0).astype(dtype)
    for column in np.flatnonzero(~np.isfinite(largest)):
        values = rows.values[:, column]
        with np.errstate(over="ignore"):
            row = int(np.flatnonzero(~np.isfinite(values.astype(dtype)))[0])
        raise UserError(
            f"{path}: row {row + 1} has {rows.names[column]} = {values[row]:g}, beyond what"
            f" {dtype} holds; set {key} to float64 or scale the column"
        )


def _exact_loss(
    params: Params,
    weight: NDArray[Any],
    bias: NDArray[Any],
    centre: NDArray[np.float64] | None,
    gram: "Gram",
) -> float:
    """The loss of a linear model on the table behind `gram`."""
    from pipeline.exact.squared_error import squared_error  # here for the same reason

    squares = squared_error(gram, weight, bias, centre)
    errors = gram.rows * len(squares) if params.train.reduction == "mean" else 1
    try:
        return float(sum(squares) / errors)
    except OverflowError:
        raise UserError(
            "the squared errors are beyond what float64 holds; scale the targets"
        ) from None


def _refuse_dependent(found: "Fit") -> None:
    """Raise UserError if columns say the same as others, exactly or to within their rounding."""
    from pipeline.learning import fit_messages  # here for the same reason

    forced = "or set train.allow_dependent to true, which gives"
    if found.dependent:
        told = "\n  ".join(first_lines(list(map(fit_messages.dependent, found.dependent)), 10))
        raise UserError(
            "train.optimizer: exact has more than one solution, because columns say the same as"
            f" others:\n  {told}\nname data.features without them, {forced} them the weight 0"
        )
    if found.nearly_dependent:
        sentences = list(map(fit_messages.nearly_dependent, found.nearly_dependent))
        told = "\n  ".join(first_lines(sentences, 10))
        raise UserError(
            "train.optimizer: exact would fit the rounding of the numbers, because columns say the"
            f" same as others to within it:\n  {told}\nname data.features without one of them,"
            f" {forced} the exact solution with its huge weights"
        )

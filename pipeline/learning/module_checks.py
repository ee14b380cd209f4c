"""Checks of a user's module: the trained module must be the module that ships.

`check` tries the module before its first epoch, and `compare` compares the trained module with the
module that its file gives. Both raise UserError with the change that the user's class needs.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.learning import construction, rounding_bound, weights
from pipeline.learning.own_module import blamed
from pipeline.learning.prediction import dtype_name, eval_mode, predict
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params

ROWS_CHECKED = 1000  # training rows


def check(params: Params, x: torch.Tensor, y: torch.Tensor, count: int) -> None:
    """Check that the module can be trained, saved, loaded and evaluated.

    x: [rows, features] and y: [rows, targets], some of the rows as they are trained on. count: the
    number of all training rows. The checks take modules and
    random numbers of their own: the training is the same with them and without.
    Raises UserError with the first problem.
    """
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(params.seed)
        module = construction.initial(params.model, x.shape[1], y.shape[1])
        name = f"model.module: {type(module).__name__}"
        _refuse_state(module, name)
        module.to(x.device, x.dtype)
        _refuse_answers(module, name, x, y.shape[1])
        _refuse_training(module, name, params, x, y, count)
        dtype = weights.DTYPES[params.model.dtype]
        shipped = construction.initial(params.model, x.shape[1], y.shape[1]).to(dtype)
        with blamed(f"{name} cannot be saved and loaded"):
            shipped.load_state_dict(weights.rounded(module, dtype))
        rows = x[:ROWS_CHECKED].cpu().double().numpy()
        _compare(module, shipped.eval(), rows, params.data.targets)


def compare(trained: nn.Module, params: Params, x: NDArray[np.float64]) -> None:
    """Check that the trained module predicts as the module that its file will give.

    x: some of the training rows, [rows, features]. The trained module is on the CPU afterwards.
    Raises UserError if the predictions differ by more than rounding explains.
    """
    targets = params.data.targets
    state = weights.rounded(trained, weights.DTYPES[params.model.dtype])
    shipped = weights.from_state(state, params.model, x.shape[1], len(targets))
    _compare(trained, shipped, x, targets)


def _compare(
    module: nn.Module, shipped: nn.Module, x: NDArray[np.float64], targets: tuple[str, ...]
) -> None:
    dtype = next(module.parameters()).dtype
    with eval_mode(module):
        here = module.cpu().double()(torch.from_numpy(np.ascontiguousarray(x))).numpy()
        module.to(dtype)
    there = predict(shipped, x)
    bound = rounding_bound.analytic(shipped, x)
    if bound is None:
        bound = rounding_bound.monte_carlo(shipped, x)
    wrong = ~(np.abs(here - there) <= bound) & np.isfinite(here)
    if wrong.any():
        row, column = (int(each) for each in np.argwhere(wrong)[0])
        raise UserError(
            f"model.module: the module answers otherwise once it is saved and loaded: at training"
            f" row {row + 1} {targets[column]} is {here[row, column]:.6g} before, and"
            f" {there[row, column]:.6g} after; its file holds parameters and persistent buffers,"
            " so keep each tensor that the answer needs by self.register_buffer(name, tensor), and"
            " not as a plain attribute"
        )


def _refuse_state(module: nn.Module, name: str) -> None:
    if not any(each.requires_grad for each in module.parameters()):
        raise UserError(
            f"{name} has no parameters to train; make its layers in __init__, as attributes of the"
            " module (a list of layers is an nn.ModuleList)"
        )
    if others := [key for key, each in module.state_dict().items() if not _is_tensor(each)]:
        raise UserError(
            f"{name} keeps {', '.join(others)}, which is no tensor: its file can hold tensors only"
        )


def _refuse_answers(module: nn.Module, name: str, x: torch.Tensor, targets: int) -> None:
    """Refuse answers of a wrong kind, and answers that depend on more than their own row."""
    for rows in (_some(x, targets + 2), _some(x, 1)):
        given = rows.clone()
        with blamed(f"{name} cannot answer a batch of {len(rows)} rows"), eval_mode(module):
            answers, again = module(given), module(given)
        _refuse_shape(answers, name, rows, targets)
        if not torch.equal(given, rows):
            raise UserError(
                f"{name} changes the rows that it is given; leave inplace=True and operations such"
                " as x += … out, where they work on its input"
            )
        if not torch.isfinite(answers).all():
            raise UserError(
                f"{name} answers with NaN or infinite numbers before the first epoch, so no"
                " learning rate helps; look in __init__ and forward for a division by 0, the"
                " logarithm or root of a number that may be negative, or an overflow"
            )
        if not torch.equal(answers.nan_to_num(), again.nan_to_num()):
            raise UserError(
                f"{name} answers the same rows differently the second time, in eval mode;"
                " random numbers are for training: F.dropout(x, training=self.training), or"
                " nn.Dropout"
            )
    rows = _some(x, targets + 2).double()
    with blamed(f"{name} cannot answer in float64, in which it is measured"):
        with eval_mode(module.double()):
            together = module(rows)
            alone = torch.cat([module(rows[index : index + 1]) for index in range(len(rows))])
        _refuse_shape(together, name, rows, targets)
    size = together.abs().max()
    if bool(((together - alone).abs() > 1e-6 * size).any()):
        raise UserError(
            f"{name} answers a row differently when other rows are beside it; each answer must"
            " follow from its own row (batch norm: track_running_stats=True)"
        )
    module.to(x.dtype)


def _refuse_shape(answers: Any, name: str, rows: torch.Tensor, targets: int) -> None:
    right = f"must be [{len(rows)}, {targets}], one row for each row and one column for each target"
    if not _is_tensor(answers):
        raise UserError(f"{name} answers with a {type(answers).__name__}; must be one tensor")
    if answers.shape != (len(rows), targets):
        hint = ""
        if answers.dim() < 2:
            hint = "; without the second dimension the loss would compare each answer with all rows"
            hint += ": leave out squeeze(), flatten() or [:, 0]"
        raise UserError(
            f"{name} answers {len(rows)} rows with the shape {list(answers.shape)}; {right}{hint}"
        )
    if answers.dtype != rows.dtype:
        raise UserError(
            f"{name} answers {dtype_name(rows.dtype)} rows in {dtype_name(answers.dtype)}; must be"
            " the same type: leave out .float() and the like, and give tensors of its own by"
            " self.register_buffer"
        )


def _refuse_training(
    module: nn.Module, name: str, params: Params, x: torch.Tensor, y: torch.Tensor, count: int
) -> None:
    """Refuse a module that fails on the smallest batch of the training, or with this optimizer."""
    settings = params.train
    size = min(settings.batch_size or count, count)
    last = count % size or size
    before = {key: each.clone() for key, each in module.state_dict().items()}
    drawn = _random_states(x)
    module.train()
    _try(module, _some(x, 2), _some(y, 2), name, "cannot be trained on two rows")
    if last == 1:
        try:
            _try(module, x[:1], y[:1], name, "cannot be trained on one row")
        except UserError as error:
            raise UserError(f"{error}; {_other_size(count, size)}") from None
    if settings.optimizer == "lbfgs":
        random = any(map(_differ, drawn, _random_states(x)))
        changed = [key for key, each in module.state_dict().items() if _differ(each, before[key])]
        if random or changed:
            what = "draws random numbers (dropout?)" if random else f"changes {changed[0]} (norms?)"
            raise UserError(
                f"train.optimizer: found lbfgs, whose line search must get one loss for the same"
                f" parameters and evaluates the module several times a step, but"
                f" {type(module).__name__} {what} at each evaluation; set it to adam or sgd"
            )


def _try(module: nn.Module, x: torch.Tensor, y: torch.Tensor, name: str, what: str) -> None:
    """Make one step of training, without an update."""
    with blamed(f"{name} {what}"):
        answers = module(x)
        _refuse_shape(answers, name, x, y.shape[1])
        nn.functional.mse_loss(answers, y).backward()  # type: ignore[no-untyped-call]


def _other_size(rows: int, size: int) -> str:
    """Return the advice for a last batch of one row, which some modules refuse."""
    if rows == 1:
        return "bring more rows"
    near = (size + step for distance in range(rows) for step in (-distance, distance))
    other = next((other for other in near if 2 <= other <= rows and rows % other != 1), None)
    what = f"train.batch_size: found {size}, whose last batch of the {rows} rows has one row"
    return f"{what}; set it to {other}" if other else what


def _some(rows: torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` rows, with the first rows again if there are too few."""
    return rows[torch.arange(count, device=rows.device) % len(rows)]


def _random_states(x: torch.Tensor) -> list[torch.Tensor]:
    cuda = [torch.cuda.get_rng_state(x.device)] if x.device.type == "cuda" else []
    return [torch.get_rng_state(), *cuda]


def _differ(one: torch.Tensor, other: torch.Tensor) -> bool:
    return not torch.equal(one, other)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)

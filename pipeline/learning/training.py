"""Training: from tables and params.yaml to a fitted module."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.exact.penalties import Penalty
from pipeline.learning import (
    chosen_penalties,
    closed_form,
    construction,
    device,
    exact_losses,
    huber_threshold,
    module_checks,
    reduction,
    scaling,
    tensors,
    training_rows,
)
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.divergence import DivergedError, RisingLoss, limit_of_lr
from pipeline.learning.loop import OnEpoch, run_epochs
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.progress import Losses
from pipeline.learning.tensors import Pair, Prepare
from pipeline.learning.training_rows import TrainingRows
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream
from pipeline.tables.table import Table


def train(
    params: Params,
    rows: Table | TableFile,
    held_out: Table | TableFile | None = None,
    on_epoch: OnEpoch = lambda *_: None,
    checkpoint: Checkpoint | None = None,
    summary: Summary | None = None,
    penalties: Sequence[Penalty] | None = None,
) -> tuple[nn.Module, list[Losses]]:
    """Build the module with the initial parameters of the seed, and fit it to `rows`.

    held_out: rows to measure the loss on, which are not trained on; may be empty.
    checkpoint: may hold the state of the same training, killed before its end.
    summary: of `rows` and `held_out`; None to compute it of tables in memory.
    penalties: of the closed form, one for each target; None to let the settings choose them.
    Returns the fitted module and the losses of each epoch, measured before its updates.
    Raises UserError, with the change that is needed, if the fit diverges or has no solution.
    """
    if summary is None:
        assert isinstance(rows, Table)
        assert not isinstance(held_out, TableFile)
        summary = in_memory.summary_of(rows, held_out, params.data.targets)
    if params.train.optimizer == "exact":
        function = huber_threshold.loss_function(params, summary, lambda: _blocks(rows))
        if function is not None:
            tested = None
            if held_out is not None and summary.test.rows:
                tested = partial(_blocks, held_out)
            asked = params, summary, function
            return exact_losses.solve(*asked, partial(_blocks, rows), tested, on_epoch)
        if penalties is None:
            penalties = chosen_penalties.choose(params, summary).penalties
        return closed_form.solve(params, summary, penalties, on_epoch)
    torch.manual_seed(params.seed)
    module = construction.initial(params.model, len(summary.features), len(summary.targets))
    if reduction.is_wanted(params, module, summary):
        job = _on_reduced_rows(params, module, summary)
    else:
        held_out = held_out if summary.test.rows else None
        job = _on_rows(params, module, summary, rows, held_out)
    rising = RisingLoss(params.train.lr, lambda: limit_of_lr(params, job.module, summary), on_epoch)
    shuffle = stream(params.seed, "shuffle")
    loss_function = huber_threshold.loss_function(params, summary, lambda: _blocks(rows))
    try:
        losses = run_epochs(
            *(job.trained, job.rows, params.train, shuffle, rising),
            *(job.held_out, checkpoint, job.unit, loss_function),
        )
    except DivergedError as error:
        raise UserError(f"{error}; {rising.advice()}") from None
    module_checks.compare(job.module, params, job.some)
    return job.module.eval(), losses


def _blocks(rows: Table | TableFile) -> Iterable[Table]:
    return rows.blocks() if isinstance(rows, TableFile) else [rows]


@dataclass(frozen=True)
class _Job:
    """A module and what it is trained on.

    module: gets rows in the table's units. trained: this module or its inner one, which gets
    `rows` and `held_out`.
    unit: the size of 1 in each column of the targets, if they are not in the table's units.
    some: rows to compare the trained module with its file on, [rows, features].
    """

    module: nn.Module
    trained: nn.Module
    rows: TrainingRows
    held_out: TrainingRows | None
    unit: torch.Tensor | None
    some: NDArray[np.float64]


def _on_reduced_rows(params: Params, trained: nn.Module, summary: Summary) -> _Job:
    """Return the training of a linear module on reduced rows, from the summary alone."""
    reduction.announce(summary)
    module, scales, features = trained, None, len(summary.features)
    if params.model.standardize:
        scales = scaling.of_features(params, summary)
        module = Standardized(trained, *scales)  # the reduced rows are scaled already
    rows, held_out = (
        reduction.reduced(params, part, features, scales) if part.rows else None
        for part in (summary.train, summary.test)
    )
    assert rows is not None
    module.to(rows.x.device, rows.x.dtype)
    module_checks.check(params, rows.x, rows.y, rows.rows)
    # The rows themselves may not be there: two corners of their range.
    some = np.array([summary.train.smallest, summary.train.largest])[:, :features]
    return _Job(module, trained, rows, held_out, None, some)


def _on_rows(
    params: Params,
    trained: nn.Module,
    summary: Summary,
    rows: Table | TableFile,
    held_out: Table | TableFile | None,
) -> _Job:
    """Return the training of a module on the rows themselves."""
    place, dtype = device.choose(params.train.device), DTYPES[params.train.dtype]
    prepare: Prepare = partial(tensors.of_table, params)
    module, unit = trained, None
    if params.model.standardize and isinstance(module, LinearModel):
        module = trained = Standardized(module, *scaling.of_features(params, summary))
    elif params.model.standardize:
        # The inner module is trained in standard units, for which one learning rate suits all.
        scales = (*scaling.of_features(params, summary), *scaling.of_targets(params, summary))
        standard = Standardized(nn.Identity(), *scales).to(dtype)
        prepare = partial(_in_standard_units, params, standard)
        module = Standardized(trained, *scales).to(place, dtype)
        unit = module.target_deviation
    module.to(place, dtype)
    first = training_rows.head(rows, module_checks.ROWS_CHECKED)
    x, y = (each.to(place) for each in prepare(first))
    module_checks.check(params, x, y, summary.train.table_rows)
    weighted = partial(_with_weights, prepare, _unit_of_weights(params, summary.train))
    fitted = training_rows.open_rows(params, rows, weighted, training_rows.MEMORY_BYTES)
    measured = None
    if held_out is not None:
        most_bytes = training_rows.HELD_OUT_BYTES
        weighted = partial(_with_weights, prepare, _unit_of_weights(params, summary.test))
        measured = training_rows.open_rows(params, held_out, weighted, most_bytes)
    return _Job(module, trained, fitted, measured, unit, first.columns(summary.features))


def _unit_of_weights(params: Params, part: Part) -> float:
    """Return the factor of the weights: in a mean, that which makes their own mean 1.

    The mean of all weighted losses is then the sum over the weight, and a batch has a mean of the
    same size, whatever the weights of its rows.
    """
    return float(part.table_rows / part.weight) if params.train.reduction == "mean" else 1.0


def _with_weights(prepare: Prepare, unit: float, rows: Table) -> Pair:
    """Return what `prepare` does of `rows`, with their weights beside the targets."""
    x, y = prepare(rows)
    return x, tensors.with_weights(y, rows, unit)


def _in_standard_units(params: Params, scales: Standardized, rows: Table) -> Pair:
    """Return the features and the targets of `rows` in standard units, in train.dtype."""
    x, y = tensors.of_table(params, rows)
    return scales.scaled(x), scaling.standard_targets(scales, params, rows, y)

"""Training: from tables and params.yaml to a fitted module."""

import torch
from torch import nn

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import Summary
from pipeline.learning import closed_form, construction, module_checks, scaling, tensors
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.divergence import DivergedError, RisingLoss, limit_of_lr
from pipeline.learning.loop import OnEpoch, run_epochs
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.progress import Losses
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
) -> tuple[nn.Module, list[Losses]]:
    """Build the module with the initial parameters of the seed, and fit it to `rows`.

    held_out: rows to measure the loss on, which are not trained on; may be empty.
    checkpoint: may hold the state of the same training, killed before its end.
    summary: of `rows` and `held_out`; None to compute it of tables in memory.
    Returns the fitted module and the losses of each epoch, measured before its updates.
    Raises UserError, with the change that is needed, if the fit diverges or has no solution.
    """
    if summary is None:
        assert isinstance(rows, Table)
        assert not isinstance(held_out, TableFile)
        summary = in_memory.summary_of(rows, held_out, params.data.targets)
    if params.train.optimizer == "exact":
        return closed_form.solve(params, summary, on_epoch)
    if isinstance(rows, TableFile):
        rows = rows.whole()
    if isinstance(held_out, TableFile):
        held_out = held_out.whole()
    if not summary.test.rows:
        held_out = None
    x, y = tensors.of_table(params, rows)
    held_out_pair = tensors.of_table(params, held_out) if held_out else None
    torch.manual_seed(params.seed)
    module = trained = construction.initial(params.model, x.shape[1], y.shape[1])
    unit = None
    if params.model.standardize and isinstance(module, LinearModel):
        module = trained = Standardized(module, *scaling.of_features(params, summary))
    elif params.model.standardize:
        # The inner module is trained in standard units, for which one learning rate suits all.
        scales = (*scaling.of_features(params, summary), *scaling.of_targets(params, summary))
        module = Standardized(trained, *scales).to(x.device, x.dtype)
        x, y = module.scaled(x), scaling.standard_targets(module, params, rows, y)
        if held_out and held_out_pair:
            targets = scaling.standard_targets(module, params, held_out, held_out_pair[1])
            held_out_pair = module.scaled(held_out_pair[0]), targets
        unit = module.target_deviation
    module.to(x.device, x.dtype)
    module_checks.check(params, x, y)
    rising = RisingLoss(params.train.lr, lambda: limit_of_lr(params, module, x), on_epoch)
    shuffle = stream(params.seed, "shuffle")
    try:
        losses = run_epochs(
            trained, x, y, params.train, shuffle, rising, held_out_pair, checkpoint, unit
        )
    except DivergedError as error:
        raise UserError(f"{error}; {rising.advice()}") from None
    first = Table(rows.names, rows.values[: module_checks.ROWS_CHECKED])
    module_checks.compare(module, params, first.columns(rows.features(params.data.targets)))
    return module.eval(), losses

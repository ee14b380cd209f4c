"""Training: from tables and params.yaml to a fitted module."""

import numpy as np
import torch
from torch import nn

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import Summary
from pipeline.learning import closed_form, construction, module_checks, reduction, scaling, tensors
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.divergence import DivergedError, RisingLoss, limit_of_lr
from pipeline.learning.loop import OnEpoch, run_epochs
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.progress import Losses
from pipeline.learning.tensors import Pair
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
    torch.manual_seed(params.seed)
    features = len(summary.features)
    module = trained = construction.initial(params.model, features, len(summary.targets))
    held_out_pair: Pair | None = None
    unit, each = None, (1.0, 1.0)
    if reduction.is_wanted(params, module, summary):
        reduction.announce(summary)
        scales = None
        if params.model.standardize:
            scales = scaling.of_features(params, summary)
            module = Standardized(trained, *scales)  # the reduced rows are scaled already
        few = reduction.reduced(params, summary.train, features, scales)
        (x, y), each = few.pair, (few.each, 1.0)
        if summary.test.rows:
            few = reduction.reduced(params, summary.test, features, scales)
            held_out_pair, each = few.pair, (each[0], few.each)
        # The rows themselves may not be there: two corners of their range.
        some = np.array([summary.train.smallest, summary.train.largest])[:, :features]
    else:
        if isinstance(rows, TableFile):
            rows = rows.whole()
        if isinstance(held_out, TableFile):
            held_out = held_out.whole()
        if not summary.test.rows:
            held_out = None
        x, y = tensors.of_table(params, rows)
        held_out_pair = tensors.of_table(params, held_out) if held_out else None
        if params.model.standardize and isinstance(module, LinearModel):
            module = trained = Standardized(module, *scaling.of_features(params, summary))
        elif params.model.standardize:
            # The inner module is trained in standard units, for which one learning rate suits all.
            stats = (*scaling.of_features(params, summary), *scaling.of_targets(params, summary))
            module = Standardized(trained, *stats).to(x.device, x.dtype)
            x, y = module.scaled(x), scaling.standard_targets(module, params, rows, y)
            if held_out and held_out_pair:
                targets = scaling.standard_targets(module, params, held_out, held_out_pair[1])
                held_out_pair = module.scaled(held_out_pair[0]), targets
            unit = module.target_deviation
        some = rows.columns(summary.features)[: module_checks.ROWS_CHECKED]
    module.to(x.device, x.dtype)
    module_checks.check(params, x, y)
    rising = RisingLoss(params.train.lr, lambda: limit_of_lr(params, module, summary), on_epoch)
    shuffle = stream(params.seed, "shuffle")
    try:
        losses = run_epochs(
            trained, x, y, params.train, shuffle, rising, held_out_pair, checkpoint, unit, each
        )
    except DivergedError as error:
        raise UserError(f"{error}; {rising.advice()}") from None
    module_checks.compare(module, params, some)
    return module.eval(), losses

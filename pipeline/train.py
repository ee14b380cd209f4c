"""Stage `train`: design the model, construct loss and optimizer, run the training cycle.

Reads   data/summary.json, data/columns.json; if rows are needed, data/train.parquet and
        data/test.parquet; modules/, if model.module names a class there
Writes  models/model.safetensors, reports/history.csv, reports/path.csv, and an MLflow run while it
        trains
"""

from pipeline.columns import plan
from pipeline.columns.blocks import TableFile
from pipeline.columns.summary import read_summary
from pipeline.settings import csv_cells, files, ids, inputs, runner
from pipeline.settings.errors import EditedError, UserError
from pipeline.settings.params import Params
from pipeline.tracking.live import live_run
from pipeline.tracking.wire import milliseconds


def main(params: Params) -> None:
    """Train the model, with the losses of each epoch in a live MLflow run."""
    with live_run() as run:
        # Imported here, while the run's process imports MLflow: each of the two takes a second.
        from pipeline.learning import (
            chosen_penalties,
            data_checks,
            device,
            fit_messages,
            path_file,
            progress,
            training,
            weights,
        )
        from pipeline.learning.checkpoint import Checkpoint

        summary, columns = read_summary(), plan.read_plan()
        rows, held_out = (
            TableFile(path, columns, params.data.targets) for path in (files.TRAIN, files.TEST)
        )
        device.choose(params.train.device)
        fit_messages.warn_without_effect(params.train)
        data_checks.check(params, summary, {each.path: each.blocks for each in (rows, held_out)})
        identity = ids.training(params)
        inputs.check()  # a checkpoint must not have the id of code that was edited after its import
        checkpoint = Checkpoint(identity.id, params.train.checkpoint_seconds, inputs.check)
        earlier_losses = progress.losses(checkpoint.state) if checkpoint.state else []
        if earlier_losses:
            print(f"resumes after epoch {len(earlier_losses)}, from the last checkpoint")
        run.begin(params, identity.id)

        earlier = zip(earlier_losses, checkpoint.times, strict=True)
        for epoch, (losses, known_at) in enumerate(earlier, 1):
            run.log_losses(epoch, *losses, known_at)

        def on_epoch(epoch: int, loss: float, held_out_loss: float | None) -> None:
            now = milliseconds()
            checkpoint.times.append(now)
            run.log_losses(epoch, loss, held_out_loss, now)

        try:
            chosen = chosen_penalties.choose(params, summary)
            module, history = training.train(
                params, rows, held_out, on_epoch, checkpoint, summary, chosen.penalties
            )
            inputs.check()
            weights.save(files.MODEL, module, weights.DTYPES[params.model.dtype], identity)
        except EditedError:  # the checkpoint is right for whoever undoes the edit
            raise
        except UserError:  # to continue would end in the same error
            checkpoint.remove()
            raise
        except KeyboardInterrupt as stop:
            if checkpoint.path.exists():
                stop.add_note("the same command resumes the training from its last checkpoint")
            raise
        if len(history) < params.train.epochs and params.train.patience is not None:
            print(
                f"stopped after epoch {len(history)}: no smaller loss on the rows held out for"
                f" {params.train.patience} epochs; the best weights are kept"
            )
        # Held-out rows, if there are any, have a loss of their own.
        shown = [
            [csv_cells.nine_digits(loss) for loss in losses if loss is not None]
            for losses in history
        ]
        header = ["epoch", "loss", "test_loss"][: 1 + len(shown[0])]
        csv_cells.write_csv(files.HISTORY, header, ([n, *row] for n, row in enumerate(shown, 1)))
        path_file.write(chosen.paths, summary.features)
        checkpoint.remove()


if __name__ == "__main__":
    runner.run(main)

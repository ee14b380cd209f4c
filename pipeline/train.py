"""Stage `train`: design the model, construct loss and optimizer, run the training cycle.

Reads   data/train.parquet, data/test.parquet
Writes  models/model.safetensors, reports/history.csv, and an MLflow run while it trains
"""

from pipeline import files, lineage, stage, table
from pipeline.live_run import live_run
from pipeline.params import Params


def main(params: Params) -> None:
    """Train the model, with each epoch's losses in a live MLflow run."""
    with live_run() as run:
        # Imported here, while the run's process imports MLflow: each of the two takes a second.
        from pipeline import model, training

        rows, held_out = table.read(files.TRAIN), table.read(files.TEST)
        training.check(params, rows, held_out)
        training_id = lineage.training_id(params)
        run.begin(params, training_id)

        def tell(epoch: int, loss: float, test_loss: float | None) -> None:
            run.log_losses(epoch, rounded(loss), None if test_loss is None else rounded(test_loss))

        module, history = training.train(params, rows, held_out, tell)
        model.save(files.MODEL, module, model.DTYPES[params.model.dtype], training_id)
        if len(history) < params.train.epochs and params.train.patience is not None:
            print(
                f"stopped after epoch {len(history)}: no better loss on the rows held out for"
                f" {params.train.patience} epochs; the best weights are kept"
            )
        # The rows held out have a loss of their own, where there are any.
        shown = [[rounded(loss) for loss in losses if loss is not None] for losses in history]
        header = ["epoch", "loss", "test_loss"][: 1 + len(shown[0])]
        files.write_csv(files.HISTORY, header, ([n, *row] for n, row in enumerate(shown, 1)))


def rounded(loss: float) -> float:
    """Nine digits: all that float32 has, and hardly one that the order of a float64 sum decides."""
    return float(f"{loss:.9g}")


if __name__ == "__main__":
    stage.run(main)

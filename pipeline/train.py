"""Stage `train`: design the model, construct loss and optimizer, run the training cycle.

Reads   data/train.parquet
Writes  models/model.safetensors, reports/history.csv, and an MLflow run while it trains
"""

from pipeline import files, lineage, stage, table
from pipeline.live_run import live_run
from pipeline.params import Params


def main(params: Params) -> None:
    """Train the model, with each epoch's loss in a live MLflow run."""
    with live_run() as run:
        # Imported here, while the run's process imports MLflow: each of the two takes a second.
        from pipeline import model, training

        x, y = training.tensors(params, table.read(files.TRAIN))
        training_id = lineage.training_id(params)
        run.begin(params, training_id)
        module, losses = training.train(
            params, x, y, lambda epoch, loss: run.log_loss(epoch, rounded(loss))
        )
        model.save(files.MODEL, module, model.DTYPES[params.model.dtype], training_id)
        files.write_csv(files.HISTORY, ["epoch", "loss"], enumerate(map(rounded, losses), 1))


def rounded(loss: float) -> float:
    """Nine digits: all that float32 has, and hardly one that the order of a float64 sum decides."""
    return float(f"{loss:.9g}")


if __name__ == "__main__":
    stage.run(main)

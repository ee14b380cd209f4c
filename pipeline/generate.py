"""Stage `generate`: prepare the dataset.

Reads   params.yaml, data/raw/
Writes  data/train.parquet, data/test.parquet
"""

from pipeline.settings import files, runner
from pipeline.settings.params import GENERATE, Params
from pipeline.settings.seeds import stream
from pipeline.tables import held_out, raw_table, table
from pipeline.tables.generated import generated_table


def main(params: Params) -> None:
    """Write the training table and the test table, both or neither.

    Raises UserError if a table that must have rows has none.
    """
    data = params.data
    if data.source == GENERATE:
        whole = generated_table(data, params.seed)
        names, float32, blocks = whole.names, whole.float32, iter([whole.values])
    else:
        raw = raw_table.find(data)
        names, float32, blocks = raw.features + raw.targets, raw.float32, raw.values()

    fraction, draws = data.test_fraction, stream(params.seed, "split")
    with (
        table.writer(files.TRAIN, names, float32) as train,
        table.writer(files.TEST, names, float32) as test,
    ):
        for block in blocks:
            training_rows, test_rows = held_out.split(block, fraction, draws)
            train.write(training_rows)
            test.write(test_rows)
        held_out.check_sides(fraction, train.rows, test.rows)
        # Both before either has its name: only now may the disk be full.
        train.finish()
        test.finish()


if __name__ == "__main__":
    runner.run(main)

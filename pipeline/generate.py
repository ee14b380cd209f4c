"""Stage `generate`: prepare the dataset.

Reads   params.yaml, data/raw/
Writes  data/train.parquet, data/test.parquet, data/columns.json, data/summary.json,
        data/sample.parquet
"""

from dataclasses import replace
from functools import partial

from pipeline.columns import learn, statistics
from pipeline.columns.learn import Learnable
from pipeline.columns.statistics import Statistics
from pipeline.compute import own_rows, written
from pipeline.settings import files, runner
from pipeline.settings.params import GENERATE, Params
from pipeline.settings.seeds import stream
from pipeline.tables import held_out, row_groups, table
from pipeline.tables.generated import generated_table


def main(params: Params) -> None:
    """Write both tables, what was learnt of their columns, their summary and a sample, or nothing.

    Raises UserError if a table that must have rows has none, or if a column cannot be used.
    """
    data, raw = params.data, None
    if data.source == GENERATE:
        made = table.to_arrow(generated_table(data, params.seed))
        schema, blocks = made.schema, iter([made])
    else:
        from pipeline.tables import raw_table  # 80 ms that a table that is made does not need

        raw = raw_table.find(data)
        schema, blocks = raw.row_schema, raw.rows()

    fraction, draws = data.test_fraction, stream(params.seed, "split")
    with (
        table.writer(files.TRAIN, schema) as train,
        table.writer(files.TEST, schema) as test,
    ):
        columns = raw.columns if raw else data.columns
        of_train, of_test = Statistics(), Statistics()
        for block in blocks:
            training_rows, test_rows = held_out.split(block, fraction, draws)
            train.write(training_rows)
            test.write(test_rows)
            of_train += statistics.of_rows(columns, training_rows)
            of_test += statistics.of_rows(columns, test_rows)
        held_out.check_sides(fraction, train.rows, test.rows)
        # Before either has its name: only now may the disk be full, or a column be refused.
        train.finish()
        test.finish()
        count = statistics.count_in(partial(row_groups.column, train.path))
        learnable = Learnable(columns, of_train, of_test, count)
        if raw:
            learnable = replace(learnable, dropped=raw.dropped, excluded=raw.excluded)
        plan = learn.plan(data, learnable)
        learn.report(plan)
        whole, layout = own_rows.summarized(
            {"train": train.path, "test": test.path}, plan, data.targets, params.seed, data.folds
        )
        written.write(whole, layout, schema)
    files.write_json(files.COLUMNS, plan.model_dump(mode="json"))


if __name__ == "__main__":
    runner.run(main)

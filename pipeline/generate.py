"""Stage `generate`: prepare the dataset.

Reads   params.yaml, data/raw/
Writes  data/train.parquet, data/test.parquet, data/columns.json, data/summary.json,
        data/sample.parquet, data/source_rows.parquet, data/source_rows_test.parquet
"""

from pipeline.compute import copied, mapping
from pipeline.settings import runner
from pipeline.settings.params import GENERATE, Params
from pipeline.tables import source_numbers, table
from pipeline.tables.generated import generated_blocks


def main(params: Params) -> None:
    """Write both tables, what was learnt of their columns, their summary and a sample, or nothing.

    Raises UserError if a table that must have rows has none, or if a column cannot be used.
    """
    mapping.check_cluster()
    if params.data.source == GENERATE:
        schema = table.number_schema([*params.data.columns, *params.data.targets])
        made = map(table.to_arrow, generated_blocks(params.data, params.seed))
        copied.write(params, schema, source_numbers.of_made(made), None)
        return
    # 80 ms that a table that is made does not need.
    from pipeline.compute import in_place
    from pipeline.tables import raw_table

    raw = raw_table.find(params.data)
    if params.data.keep_rows:
        copied.write(params, raw.row_schema, source_numbers.of_blocks(raw.blocks()), raw)
    else:
        in_place.write(params, raw)


if __name__ == "__main__":
    runner.run(main)

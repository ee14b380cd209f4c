"""Writing data/columns.json, data/summary.json and data/sample.parquet."""

import pyarrow as pa

from pipeline.columns.summary import SampleRows, Summary
from pipeline.compute.summarize import Layout, Partial
from pipeline.settings import files
from pipeline.tables import table


def write(partial: Partial, layout: Layout, schema: pa.Schema) -> None:
    """Write the plan, the summary and the sample of all rows. schema: of the typed rows."""
    drawn = partial.sampled["train"]
    extreme = partial.extremes.rows.without(drawn.places)
    sections = [each.in_order() for each in (drawn, extreme, partial.sampled["test"])]
    counts = SampleRows(*(section.num_rows for section in sections))
    summary = summary_of(partial, layout, schema, counts)
    # All three are whole before the first gets its name: the disk may be full.
    with (
        files.whole(files.COLUMNS) as columns_path,
        files.whole(files.SUMMARY) as summary_path,
        table.writer(files.SAMPLE, schema) as sample,
    ):
        columns_path.write_bytes(files.json_bytes(layout.plan.model_dump(mode="json")))
        summary_path.write_bytes(summary.as_bytes())
        for section in sections:
            sample.write(section.cast(schema))  # Parquet has no times in seconds
        sample.finish()


def summary_of(partial: Partial, layout: Layout, schema: pa.Schema, sample: SampleRows) -> Summary:
    """Return the summary of all rows. sample: numbers of rows in the sample."""
    plan = layout.plan
    return Summary(
        features=plan.encoded_names,
        targets=layout.targets,
        float32=plan.float32(schema, layout.targets),
        exact=plan.exact,
        parts=partial.parts,
        fold_places=layout.draws.folds.places,
        test=partial.test,
        sample=sample,
    )

"""The summary of a table that is in memory, for whoever has no data/summary.json."""

from pipeline.columns.part import Part
from pipeline.columns.summary import SampleRows, Summary
from pipeline.exact.gram_sums import gram_matrix
from pipeline.tables.table import Table


def summary_of(rows: Table, held_out: Table | None, targets: tuple[str, ...]) -> Summary:
    """Return the summary of training rows and rows held out, in one part and without folds."""
    features = rows.features(targets)
    names = [*features, *targets]
    test = Part.of_no_rows(len(names))
    if held_out is not None and len(held_out.values):
        test = _part(held_out, names)
    return Summary(
        features=features,
        targets=targets,
        float32=rows.float32,
        exact=rows.exact,
        parts=(_part(rows, names),),
        fold_places=(),
        test=test,
        sample=SampleRows(0, 0, 0),
    )


def _part(rows: Table, names: list[str]) -> Part:
    """Return the sums of the columns called `names`."""
    # To copy a large table takes longer than to sum it up.
    numbers = rows.values if [*rows.names] == names else rows.columns(names)
    smallest, largest = numbers.min(axis=0), numbers.max(axis=0)
    return Part(
        tuple(smallest.tolist()),
        tuple(largest.tolist()),
        gram_matrix(numbers, weights=rows.weights),
    )

"""What the summary of a wide table costs."""

import sys

# Of a part of the training rows, measured with 500 columns of float64 in five parts; all grow with
# the square of the columns.
BYTES_IN_FILE = 25
BYTES_IN_MEMORY = 340
MANY_BYTES = 500 << 20


def announce(columns: int, parts: int) -> None:
    """Say on stderr how large the summary of a table will be, if it needs much memory.

    columns: number of encoded columns and targets. parts: of the training rows.
    """
    if (memory := BYTES_IN_MEMORY * columns**2 * parts) > MANY_BYTES:
        print(
            f"note: the model has {columns:,} columns: their inner products in {parts} parts of the"
            f" training rows take about {BYTES_IN_FILE * columns**2 * parts / 1e6:,.0f} MB in"
            f" data/summary.json, and {memory / 1e9:.1f} GB of memory; columns that are not needed"
            " can be left out of data.features, and data.folds may be fewer",
            file=sys.stderr,
        )

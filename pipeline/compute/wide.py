"""What the summary of a wide table costs."""

import sys

# Measured with 500 columns of float64 in five folds; all grow with the square of the columns.
BYTES_IN_FILE = 126
BYTES_IN_MEMORY = 1_700
MANY_BYTES = 500 << 20


def announce(columns: int) -> None:
    """Say on stderr how large the summary of a table will be, if it needs much memory.

    columns: number of encoded columns and targets.
    """
    if (memory := BYTES_IN_MEMORY * columns**2) > MANY_BYTES:
        print(
            f"note: the model has {columns:,} columns: their inner products take about"
            f" {BYTES_IN_FILE * columns**2 / 1e6:,.0f} MB in data/summary.json, and"
            f" {memory / 1e9:.1f} GB of memory; columns that are not needed can be left out of"
            " data.features",
            file=sys.stderr,
        )

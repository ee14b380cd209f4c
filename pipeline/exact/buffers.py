"""NumPy's buffer, which operations on short rows had better go without."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

SMALL = 512
"""Numbers in the buffer; NumPy has 8,192."""


@contextmanager
def small_buffer() -> Iterator[None]:
    """Let NumPy compute on rows in place, in the calling thread.

    An operation on [columns, rows] and [columns, 1] or [rows] copies rows of at most half the
    buffer into it and back, which takes three times as long as the operation. Numbers of two types
    always go through the buffer, and have more of its calls if it is small.
    """
    with np.errstate():  # after which NumPy has its former buffer again
        np.setbufsize(SMALL)
        yield

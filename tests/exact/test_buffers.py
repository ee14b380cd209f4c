"""NumPy's buffer: small for a block, and as before after it, even after an error."""

import numpy as np
import pytest

from pipeline.exact.buffers import SMALL, small_buffer


def test_the_buffer_of_the_caller_comes_back() -> None:
    before = np.getbufsize()

    @small_buffer()
    def fails() -> None:
        assert np.getbufsize() == SMALL
        raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fails()
        assert np.getbufsize() == before != SMALL

"""Messages between a training and its recorder arrive as they were sent, or are refused."""

import subprocess
import sys
from array import array

import pytest
from conftest import environment

from pipeline.tracking import wire


def test_losses_arrive_as_they_were_sent_to_nine_digits() -> None:
    rows = array("d")
    for losses in [(1, 0.1234567891234, None, 1_700_000_000_000), (2, 1e-300, 0.25, 5)]:
        rows.extend(wire.row(*losses))
    line, _, content = wire.losses_line(rows).partition(b"\n")
    assert line == b'["losses", 2]'
    assert wire.read_losses(content) == [
        (1, 0.123456789, None, 1_700_000_000_000),
        (2, 1e-300, 0.25, 5),
    ]


@pytest.mark.parametrize("length", [7, 8, 32 + 24])
def test_losses_that_were_cut_short_are_refused(length: int) -> None:
    """Half a row would be logged as another epoch."""
    content = array("d", range(2 * wire.NUMBERS_PER_ROW)).tobytes()
    with pytest.raises(ValueError, match=r".*"):
        wire.read_losses(content[:length])


def test_neither_side_waits_for_mlflow_before_it_can_read_and_write() -> None:
    code = "import sys, pipeline.tracking.live, pipeline.tracking.recorder\n"
    code += "assert not {'mlflow', 'sqlalchemy', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)

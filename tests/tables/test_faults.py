"""Values that cannot be used are counted to the end of the file; all others are exact."""

from pathlib import Path

import pytest
from own_tables import put, refusal, values

from pipeline.tables import text_source


def test_numbers_that_are_large_but_exact(workspace: Path) -> None:
    put("x,y\n9007199254740992,1e300\n-36028797018963968,12345678901234567.5\n")
    assert values()[:, 0].tolist() == [2**53, -(2**55)]


def test_missing_values_are_counted_to_the_end(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_source, "BYTES_PER_CHUNK", 100)
    put("x,y\n" + "".join(f"{row if row % 10 else ''},{row}\n" for row in range(1_000)))
    assert ': 100 values are missing in "x", first in lines 2, 12, 22;' in refusal()

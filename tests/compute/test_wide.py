"""Who has a wide table is told what its summary costs, before it is computed."""

import pytest

from pipeline.compute import wide


def test_a_wide_table_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    wide.announce(500)
    assert not capsys.readouterr().err
    wide.announce(2_000)
    assert capsys.readouterr().err == (
        "note: the model has 2,000 columns: their inner products take about 504 MB in"
        " data/summary.json, and 6.8 GB of memory; columns that are not needed can be left out of"
        " data.features\n"
    )

"""Who has a wide table is told what its summary costs, before it is computed."""

import pytest

from pipeline.compute import wide


def test_a_wide_table_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    wide.announce(500, parts=5)
    assert not capsys.readouterr().err
    wide.announce(2_000, parts=5)
    assert capsys.readouterr().err == (
        "note: the model has 2,000 columns: their inner products in 5 parts of the training rows"
        " take about 500 MB in data/summary.json, and 6.8 GB of memory; columns that are not needed"
        " can be left out of data.features, and data.folds may be fewer\n"
    )
    wide.announce(500, parts=21)
    assert "131 MB in data/summary.json, and 1.8 GB" in capsys.readouterr().err

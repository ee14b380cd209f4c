"""The first line of a CSV file gives the names and the separator."""

from pathlib import Path

import pytest
from own_tables import own_job, put, refusal, values

from pipeline.tables import raw_table


def test_a_line_that_gives_excel_the_separator(workspace: Path) -> None:
    for first in ("sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\ufeffsep=;\n"):
        put(first + "a,b;y\n1;2\n3;4\n")
        assert raw_table.find(own_job().data).features == ("a,b",)
        assert values().tolist() == [[1, 2], [3, 4]]
    assert refusal("sep=;\nx;y\n1;2\n3;n.b.\n").startswith('data/raw/t.csv:4: "y" is "n.b."')


@pytest.mark.slow
def test_a_first_line_longer_than_a_field_of_pythons(workspace: Path) -> None:
    """11,000 columns: sought for semicolons, the line is one field of more than 131,072 bytes."""
    names = [f"measurement_{number}" for number in range(11_000)]
    put(",".join([*names, "y"]) + "\n" + ",".join(["0.5"] * 11_001) + "\n")
    raw = raw_table.find(own_job().data)
    assert raw.features == tuple(names)
    (block,) = raw.values()
    assert block.shape == (1, 11_001)

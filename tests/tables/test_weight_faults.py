"""Weights that are none are told all at once, with their lines; rows of weight 0 are left out."""

from typing import Any

import numpy as np
import pytest
from conftest import job
from own_tables import put

from pipeline.settings.errors import UserError
from pipeline.tables import raw_table
from pipeline.tables.raw_table import RawTable

HEAD = "x,y,w\n"


def table(content: str, kind: str = "precision", **changes: Any) -> RawTable:
    put(content)
    weights = {"by": "w", "kind": kind}
    changes = {"data__features": ["x"], "evaluate__queries": []} | changes
    return raw_table.find(job(data__source="data/raw/t.csv", data__weights=weights, **changes).data)


def refusal(content: str, kind: str = "precision", **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        [*table(content, kind, **changes).rows()]
    return str(caught.value)


@pytest.mark.usefixtures("workspace")
def test_all_faults_are_told_with_their_lines() -> None:
    rows = "1,2,1\n1,2,-1\n1,2,\n1,2,inf\n1,2,-0.5\n1,2,0\n1,2,2.5\n"
    message = refusal(HEAD + rows)
    for told in (
        't.csv:4: 1 value is missing in "w", in line 4: it holds the weights of the rows'
        " (data.weights); each row needs a weight: write 0 for a row that is not to count",
        't.csv:3: 2 values are negative in "w", in lines 3, 6: it holds the weights',
        't.csv:5: 1 value is infinite in "w"',
    ):
        assert told in message
    assert "whole number" not in message
    assert "features:" not in message, "no change of a feature cures a weight"
    message = refusal(HEAD + rows, "frequency")
    assert 't.csv:8: 1 value is no whole number in "w", in line 8' in message
    assert "`weights: w` for weights that are inverse variances" in message


@pytest.mark.usefixtures("workspace")
def test_rows_without_weight_are_left_out_and_counted() -> None:
    """Also of what is wrong in them nothing matters, as long as it can be read."""
    whole = table(
        HEAD + "1,2,1\n3,,0\n,4,0\n5,6,0.5\n7,8,-0\n9,,2\n", data__drop_rows="missing_target"
    )
    rows = [row for block in whole.rows() for row in block.to_pylist()]
    assert rows == [{"x": 1.0, "y": 2.0, "w": 1.0}, {"x": 5.0, "y": 6.0, "w": 0.5}]
    assert whole.dropped == {"y": 2, "w": 2}
    assert whole.excluded == ()


@pytest.mark.usefixtures("workspace")
def test_weights_that_are_all_zero_leave_no_rows() -> None:
    message = refusal(HEAD + "1,2,0\n3,4,0\n")
    assert 'only rows without a value, or with the weight 0 in "w"; a model needs rows' in message


@pytest.mark.usefixtures("workspace")
def test_a_column_of_text_is_no_weight() -> None:
    message = refusal(HEAD + "1,2,heavy\n3,4,light\n")
    assert '"w" is the column of the weights, which must be a number: choose another one' in message
    assert "in data.weights" in message
    message = refusal("x,y\n1,2\n")
    assert 'found no column "w" (data.weights)' in message


@pytest.mark.usefixtures("workspace")
def test_a_word_among_weights_is_not_made_a_gap() -> None:
    """A missing weight is refused: the advice would lead to the next refusal."""
    message = refusal(HEAD + "1,2,1\n3,4,abc\n5,6,2\n")
    assert "missing:" not in message
    assert "write 0 for a row that is not to count" in message


@pytest.mark.usefixtures("workspace")
def test_every_column_is_no_weight() -> None:
    """With `features: []` all columns but the targets and the weights are features."""
    whole = table(HEAD + "1,2,1\n3,5,4\n", data__features=[])
    assert whole.features == ("x",)
    assert np.concatenate([*whole.values()]).tolist() == [[1, 2, 1], [3, 5, 4]]


@pytest.mark.usefixtures("workspace")
def test_a_frequency_that_cannot_be_counted_is_refused() -> None:
    """It would overflow the counts of rows, which then are negative."""
    message = refusal(HEAD + "1,2,4000000000000000000\n3,4,1\n", "frequency")
    assert 't.csv:2: 1 value is above 2^53 in "w", in line 2' in message
    assert "`weights: {by: w, kind: precision}`" in message

"""What is said of penalties."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_path_file import PATH

from pipeline.learning import penalty_messages
from pipeline.learning.path_file import PairError


def test_the_choice_is_one_line() -> None:
    told = penalty_messages.chosen(replace(PATH, chosen=1, other=0.0), 5)
    assert told == (
        "train.l1: cv chose 0.1 for y: mean squared error 1.5 ± 0.2 on rows left out, in 5 folds;"
        " 2 of 4 weights are not 0; the smallest of 2 values: no penalty may do as well"
    )
    assert "0 of 4 weights" in penalty_messages.chosen(PATH, 5)
    middle = replace(PATH, values=np.array([0.3, 0.05]), penalty="l2", chosen=1)
    assert "weights are not 0" not in penalty_messages.chosen(middle, 5)


def test_the_choice_of_a_pair_says_if_one_penalty_would_do() -> None:
    pairs = (PairError(0.1, 1.0, 9.0, 9.0),)
    path = replace(PATH, values=np.array([0.3, 0.1, 0.05]), weight=np.ones((3, 4)), chosen=1)
    path = replace(path, best=0, other_pairs=pairs, error=np.ones(3), std_error=np.ones(3))
    told = penalty_messages.chosen(path, 5)
    assert told.startswith("train.l1 and train.l2: cv chose 0.1 and 0.5 for y: mean squared error")
    assert told.endswith("in 5 folds")
    ends = {
        (1, 0.0): "; a lasso alone, with train.l2 0.0, does as well",
        (2, 0.0): "; the smallest l1: no penalty may do as well",
        (2, 0.5): "; the smallest l1: a ridge alone, with train.l1 0.0, may do as well",
        (0, 0.5): "; the largest l1: the columns say next to nothing",
    }
    for (chosen, l2), end in ends.items():
        assert penalty_messages.chosen(replace(path, chosen=chosen, other=l2), 5).endswith(end)


@pytest.mark.parametrize(
    ("changes", "is_wide", "end"),
    [
        ({"chosen": 0, "best": 0}, False, "largest of 2 values: the columns say next to nothing"),
        ({"chosen": 0}, False, "largest of 2 values: its error is within one standard error of the"
            " smallest, at 0.1"),
        ({"other": 0.0}, False, "smallest of 2 values: no penalty may do as well"),
        ({}, False, "smallest of 2 values: a ridge alone, with train.l1 0.0, may do as well"),
        ({"penalty": "l2"}, False, "smallest of 2 values: a lasso alone, with train.l2 0.0, may do"
            " as well"),
        ({"other": 0.0}, True, "smallest of 2 values: a smaller number may do as well"),
    ],
)  # fmt: skip
def test_a_choice_at_an_end_says_no_more_than_follows(
    changes: dict[str, Any], is_wide: bool, end: str
) -> None:
    path = replace(PATH, **{"best": 1, "chosen": 1, **changes})
    assert penalty_messages.chosen(path, 5, is_wide=is_wide).endswith(f"; the {end}")


def test_fits_that_are_not_proven_are_told() -> None:
    told = penalty_messages.chosen(PATH, 5, gap=1.234e-9)
    assert told.endswith(
        "; not all fits that it was chosen from are proven: the penalized loss is at most 1.2e-09"
        " of the target's variation above the smallest one"
    )
    assert "proven" not in penalty_messages.chosen(PATH, 5)


def test_a_path_of_one_value_says_that_nothing_goes_with_the_target() -> None:
    alone = replace(PATH, values=np.array([0.3]), chosen=0)
    end = "; nothing in the columns goes with y"
    assert penalty_messages.chosen(alone, 5).endswith(end)


def test_names_and_sizes() -> None:
    kinds = [penalty_messages.kind(l1, l2) for l1, l2 in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert kinds == ["least squares", "lasso", "ridge", "elastic net"]
    assert [penalty_messages.two_digits(v) for v in (11640.67, 0.12778)] == ["12000", "0.13"]


def test_a_long_choice_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    penalty_messages.announce(["l2"], 200, 1, 5)
    assert capsys.readouterr().out == ""
    penalty_messages.announce(["l1", "l2"], 259, 1, 5)
    told = capsys.readouterr().out
    assert told == "the choice of train.l1 and train.l2 for 259 columns takes about 40 s\n"
    penalty_messages.announce(["l2"], 200, 10, 5)
    told = capsys.readouterr().out
    assert told == "the choice of train.l2 for 200 columns and 10 targets takes about 23 s\n"

"""What is said of penalties."""

from dataclasses import replace

import numpy as np
import pytest
from test_path_file import PATH

from pipeline.learning import penalty_messages


def test_the_choice_is_one_line() -> None:
    told = penalty_messages.chosen(replace(PATH, chosen=1), 5)
    assert told == (
        "train.l1: cv chose 0.1 for y: mean squared error 1.5 ± 0.2 on rows left out, in 5 folds;"
        " 2 of 4 weights are not 0; the smallest of 2 values: no penalty may do as well"
    )
    assert "0 of 4 weights" in penalty_messages.chosen(PATH, 5)
    assert penalty_messages.chosen(PATH, 5).endswith("the columns say next to nothing")
    middle = replace(PATH, values=np.array([0.3, 0.05]), penalty="l2", chosen=1)
    assert "weights are not 0" not in penalty_messages.chosen(middle, 5)


def test_names_and_sizes() -> None:
    kinds = [penalty_messages.kind(l1, l2) for l1, l2 in ((0, 0), (1, 0), (0, 1), (1, 1))]
    assert kinds == ["least squares", "lasso", "ridge", "elastic net"]
    assert [penalty_messages.two_digits(v) for v in (11640.67, 0.12778)] == ["12000", "0.13"]


def test_a_long_choice_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    penalty_messages.announce("l2", 200, 5)
    assert capsys.readouterr().out == ""
    penalty_messages.announce("l1", 259, 5)
    assert capsys.readouterr().out == "the choice of train.l1 for 259 columns takes about 24 s\n"

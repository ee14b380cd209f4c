"""Folds that cannot choose a penalty are refused by number, with the cure."""

import numpy as np
import pytest
from folded import Rows, in_folds

from pipeline.columns import in_memory
from pipeline.columns.summary import Summary
from pipeline.learning import fold_checks
from pipeline.settings.errors import UserError
from pipeline.tables.table import Table

ROWS = np.arange(12)


def folded(*folds: tuple[Rows, Rows]) -> Summary:
    random = np.random.default_rng(0)
    return in_folds(random.standard_normal((12, 2)), random.standard_normal(12), folds)


@pytest.mark.parametrize(
    ("summary", "told"),
    [
        (
            folded((ROWS, ROWS[:0]), (ROWS[4:], ROWS[:4]), (ROWS[:8], ROWS[8:])),
            "no training row is in fold 1 of 3 (of 12 training rows): the folds cannot"
            " choose; set data.folds to fewer, give",
        ),
        (
            folded((ROWS[:0], ROWS[:4]), (ROWS[:0], ROWS[4:8]), (ROWS[:8], ROWS[8:])),
            "no row is left to train for folds 1, 2 of 3 (of 12 training rows): the folds"
            " cannot choose; set data.folds to fewer or its gap to less, give",
        ),
        (
            folded((ROWS[:2], ROWS[4:8]), (ROWS[:8], ROWS[8:])),
            "only 2 rows can train for fold 1 of 2 (of",
        ),
        (
            in_memory.summary_of(Table(("x", "y"), np.ones((1, 2))), None, ("y",)),
            "there are no two folds (of 1 training row)",
        ),
    ],
)
def test_folds_that_cannot_choose(summary: Summary, told: str) -> None:
    with pytest.raises(UserError) as caught:
        fold_checks.check_choice("l2", summary)
    assert str(caught.value).startswith(f"train.l2: found cv, but {told}")
    assert str(caught.value).endswith("give train.l2 a number, or bring more rows"), told


def test_folds_in_time_can_choose() -> None:
    fold_checks.check_choice("l1", folded((ROWS[:3], ROWS[4:8]), (ROWS[:7], ROWS[8:])))

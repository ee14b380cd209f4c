"""Which losses of a descent are kept; what the descents give is tested in test_linear_sweep."""

import pytest

from pipeline.learning.descents import MOST_LOSSES_KEPT, kept_epochs


@pytest.mark.parametrize("epochs", [1, 2, MOST_LOSSES_KEPT])
def test_of_few_epochs_every_loss_is_kept(epochs: int) -> None:
    assert kept_epochs(epochs) == {*range(1, epochs + 1)}


@pytest.mark.parametrize("epochs", [MOST_LOSSES_KEPT + 1, 1000, 1_000_000])
def test_of_many_epochs_the_first_and_the_last_losses_are_among_those_kept(epochs: int) -> None:
    kept = kept_epochs(epochs)
    assert {1, 2, epochs} <= kept <= {*range(1, epochs + 1)}
    assert MOST_LOSSES_KEPT / 2 < len(kept) <= MOST_LOSSES_KEPT + 1

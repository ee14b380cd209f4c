"""The interval of held-out rows has the coverage that it promises, for any number of them."""

from fractions import Fraction

import pytest

from pipeline.exact import conformal


@pytest.mark.parametrize("rows", [*range(19, 200), 999, 1000, 123_456])
def test_a_new_row_lies_in_the_interval_with_95_percent_at_least(rows: int) -> None:
    """A new residual is equally likely to have each place among n + 1."""
    places = conformal.places(rows)
    if rows < 39:
        (place,) = places
        covered = Fraction(place + 1, rows + 1)
    else:
        low, high = places
        below, above = Fraction(low + 1, rows + 1), Fraction(rows - high, rows + 1)
        assert below == above <= Fraction(1, 40)
        covered = 1 - below - above
    assert covered >= Fraction(19, 20)
    assert covered - Fraction(19, 20) < Fraction(2, rows + 1)  # and no wider than it must be


def test_the_fewest_rows() -> None:
    assert conformal.places(19) == [18]
    assert conformal.places(38) == [37]
    assert conformal.places(39) == [0, 38]
    assert conformal.is_symmetric(38)
    assert not conformal.is_symmetric(39)
    with pytest.raises(AssertionError):
        conformal.places(18)

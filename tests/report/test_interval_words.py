"""The calibrated interval in one line: what is added to an answer, or what it is multiplied by."""

from pipeline.report import interval_words

METRICS = {
    "interval": {"rows": 50, "coverage": 0.95, "low": {"y": -0.2}, "high": {"y": 0.4}},
}


def test_numbers_are_added_to_an_answer() -> None:
    told = interval_words.in_short(METRICS)
    assert told is not None
    assert told.startswith("95 %: the answer -0.2 to +0.4, calibrated on 50 held-out rows; 95.0 %")


def test_of_a_logarithm_they_are_factors() -> None:
    told = interval_words.in_short(METRICS, {"y"})
    assert told is not None
    assert told.startswith("95 %: the answer × 0.8187 to × 1.492, calibrated")  # exp of both


def test_nothing_is_said_without_an_interval() -> None:
    assert interval_words.in_short({}) is None

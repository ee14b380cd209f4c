"""A reader of a model of log(price) learns what is fitted, and that its answers are medians."""

import math

import pytest

from pipeline.report import target_words

ROWS = [
    {"target": "rent", "term": "area", "value": "3.0"},
    {"target": "price", "term": "area", "value": "0.01"},
    {"target": "price", "term": "bias", "value": "7.0"},
]
METRICS = {
    "train": {"rmse": 0.2, "mae": 0.1, "r2": 0.9, "own_unit_rmse": 30.0, "own_unit_mae": 20.0,
              "own_unit_r2": None},
}  # fmt: skip


def test_nothing_is_said_of_targets_that_are_fitted_as_they_are() -> None:
    assert [*target_words.sentences([], ROWS)] == []
    assert target_words.figures_in_own_unit({"rmse": 1.0}) == {}
    plain = {"train": {"rmse": 1.0, "mae": 2.0, "r2": None}}
    rows = [*target_words.metric_rows(plain, {"training rows": "train"}, ["price"], [])]
    assert rows == [("training rows", "1", "2", "")]


def test_what_is_said_of_a_log_target() -> None:
    fitted, median, reading = target_words.sentences(["price"], ROWS)
    assert "log(price), the natural logarithm" in fitted
    assert "is a median, not a mean" in median
    assert "100·(exp(b) − 1) %" in reading
    assert reading.endswith("Of area this is +1.005 %."), "of the log target's own coefficient"
    for alone, end in (
        (["rooms"], "%, whatever its size."),
        (["area"], "Of area this is +1.005 %."),
    ):
        (*_, reading) = target_words.sentences(["price"], ROWS, alone=alone)
        assert reading.endswith(end), "only a column of one term is an example"
    assert len([*target_words.sentences(["price"], [])]) == 2, "a network has no coefficients"
    rows = [*target_words.metric_rows(METRICS, {"training rows": "train"}, ["price"], ["price"])]
    assert rows == [
        ("training rows, log(price)", "0.2", "0.1", "0.9"),
        ("training rows, in its own unit", "30", "20", ""),
    ]


def test_a_figure_of_several_targets_is_not_called_that_of_the_logarithm_alone() -> None:
    targets = ["price", "rent"]
    assert target_words.scale(targets, ["price"]) == "log(price), rent together"
    assert target_words.scale(["price"], ["price"]) == "log(price)"
    rows = [*target_words.metric_rows(METRICS, {"training rows": "train"}, targets, ["price"])]
    assert [row[0] for row in rows] == [
        "training rows, log(price), rent together",
        "training rows, in their own units, together",
    ]


def test_names_are_shown_as_the_page_needs_them() -> None:
    (*_, reading) = target_words.sentences(
        ["p|q"], [ROWS[1] | {"target": "p|q"}], lambda n: f"<{n}>"
    )
    assert "log(<p|q>)" in reading
    assert "Of <area>" in reading


@pytest.mark.parametrize("is_linear", [True, False])
@pytest.mark.parametrize("are_medians", [True, False])
def test_in_short_only_what_is_true_of_the_model_is_told(
    is_linear: bool, are_medians: bool
) -> None:
    """A network has no coefficient; the answers of quantile:0.9 are no medians."""
    for language, median, reading in (("en", "medians", "coefficient b"), ("zh", "中位数", "系数")):
        told = target_words.in_short(
            ["price"],
            language,  # type: ignore[arg-type]
            is_linear=is_linear,
            answers_are_medians=are_medians,
        )
        assert (median in told) == are_medians
        assert (reading in told) == is_linear
        assert bool(told) == (is_linear or are_medians)
    assert target_words.in_short([]) == ""


def test_both_languages_have_the_same_sentences() -> None:
    english, chinese = target_words.SENTENCES["en"], target_words.SENTENCES["zh"]
    assert english.keys() == chinese.keys()
    told = [*target_words.sentences(["price"], ROWS, language="zh")]
    assert "中位数" in told[1]
    assert told[2].endswith("例如 area 为 +1.005 %。")


@pytest.mark.parametrize("b", [0.0, 1e-12, 1e-5, -9.9e-5, 1.1e-4, 0.3, -2.0])
def test_per_cents_keep_the_digits_of_small_coefficients(b: float) -> None:
    assert target_words.percent(b) == pytest.approx(100 * math.expm1(b), rel=1e-11)

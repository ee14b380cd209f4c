"""The page of a comparison: the sentence, the tables, and names that are no markup."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from pipeline.measures.paired_difference import PairedDifference
from pipeline.report import comparison
from pipeline.report.comparison import Comparison


def a_comparison(paired: PairedDifference | None, metrics: Mapping[str, float] = {}) -> Comparison:
    return Comparison(
        ("commit 1a2b3c4 (HEAD)", "this folder"),
        {"data": [], "params": ["train.l2: 0.0 → 0.1", "seed: 0 → 1"]},
        ({"train.mse": 1.0, "test.mse": 2.0}, {"test.mse": 2.0, **metrics}),
        {"price": paired, "": paired} if paired else {},
        "no row is held out",
    )


@pytest.mark.parametrize(
    ("mean", "low", "high", "sentence"),
    [
        (-1.0, -1.5, -0.5, r"B is better: .* 1 smaller than A's \(10 %\), .*, 0.5 to 1.5 smaller,"),
        (1.0, 0.5, 1.5, r"A is better: .* 1 smaller than B's \(9.09 %\), .*, 0.5 to 1.5 smaller,"),
        (-1.0, -2.5, 0.5, r"noise: .* B's .* 1 smaller than A's .* from 2.5 smaller to 0.5 larger"),
        (1.0, -0.5, 2.5, r"noise: .* B's .* 1 larger than A's .* from 2.5 larger to 0.5 smaller"),
        (0.0, 0.0, 0.0, r"No difference: on the same 1,200 held-out rows both have the same"),
        (1.0, None, None, r"Nobody can say which is better from the same"),
    ],
)
def test_the_sentence(mean: float, low: float | None, high: float | None, sentence: str) -> None:
    paired = PairedDifference(1200, 10.0, 10.0 + mean, mean, low, high)
    text = comparison.as_text(a_comparison(paired))
    assert re.search(sentence, text), text


def test_without_pairs_the_reason_is_said() -> None:
    text = comparison.as_text(a_comparison(None))
    assert text.endswith("No paired comparison on held-out rows: no row is held out.")


def test_few_rows_make_a_rough_interval() -> None:
    paired = PairedDifference(12, 10.0, 9.0, -1.0, -1.5, -0.5)
    assert "interval is rough" in comparison.as_text(a_comparison(paired))
    many = replace(paired, pairs=1200)
    assert "interval is rough" not in comparison.as_text(a_comparison(many))


def test_metrics_that_differ_are_side_by_side_and_equal_ones_are_named() -> None:
    lines = comparison.as_text(a_comparison(None, {"train.mse": 0.75, "cv.rmse.mean": 3})).split(
        "\n"
    )
    assert "train.mse     1  0.75  -0.25" in lines
    assert "cv.rmse.mean        3" in lines, "only B has it"
    assert lines.index("cv.rmse.mean        3") < lines.index("train.mse     1  0.75  -0.25")
    assert "equal in both: test.mse" in lines


def test_of_several_targets_each_has_a_row() -> None:
    paired = PairedDifference(1200, 10.0, 9.0, -1.0, -1.5, -0.5)
    two = replace(a_comparison(paired), paired={"price": paired, "rent": paired, "": paired})
    assert [row[0] for row in comparison.paired_rows(two.paired)] == [
        "price",
        "rent",
        "all targets",
    ]
    one = replace(a_comparison(paired), paired={"": paired, "price": paired})
    assert [row[0] for row in comparison.paired_rows(one.paired)] == ["price"]


def test_folds_have_a_table_and_a_sentence_of_their_own() -> None:
    folds = PairedDifference(5, 10.0, 9.0, -1.0, -2.5, 0.5)
    both = replace(a_comparison(None), in_folds={"price": folds, "": folds})
    text = comparison.as_text(both)
    assert "Cross-validation. It may be noise: on the same 5 folds of the training rows B's" in text
    lines = text.split("\n")
    assert any(line.split()[:3] == ["cross-validated", "squared", "error"] for line in lines)
    page = comparison.page([both])
    assert "| price | 10 | 9 | -1 | -2.5 to +0.5 |" in page
    assert "**Cross-validation. It may be noise:" in page
    last = comparison.verdicts(both)[-1]
    assert last.startswith(
        "The folds alone say which answers new rows better. No paired comparison"
    )


def test_unusual_metrics_are_explained_where_they_differ() -> None:
    gap = comparison.as_text(a_comparison(None, {"reference.gap": 0.5, "penalty.l2.price": 2.0}))
    for begin in (
        "reference: the least-squares",
        "reference.gap: how far",
        "penalty: how strongly",
    ):
        assert f"\n{begin}" in gap
    assert "reference" not in comparison.as_text(a_comparison(None, {"train.mse": 0.75}))


def test_names_are_no_markup() -> None:
    stranger = replace(a_comparison(None, {"a|b": 1.0}), labels=("A", "<b>x</b>\x1b[31m"))
    text = comparison.page([stranger])
    assert text.startswith("# Comparison\n")
    assert "<b>" not in text
    assert "\x1b" not in text
    assert r"a\|b" in text

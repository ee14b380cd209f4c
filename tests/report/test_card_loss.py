"""Readers of a card learn what the answers are when they are no means."""

from typing import Any

from pipeline.report import card_loss, loss_words
from pipeline.settings.keys.train_settings import loss_kind

SIDES = {"training rows": "train", "rows held out": "test"}


def metrics(**train: float) -> dict[str, Any]:
    return {
        "train": {"loss": 3.0, "rmse": 2.0, **train},
        "test": {"below": 0.8756},
        "reference": {"rmse": 1.5, "loss": 2.0, "gap": 1.0},
    }


def test_a_quantile_is_called_one_and_its_share_is_told() -> None:
    params = {"train.loss": "quantile:0.9", "train.reduction": "mean"}
    assert list(card_loss.what_it_answers(metrics(below=0.9), params, SIDES)) == [
        "**The answers are 0.9 quantiles, not means: about 0.9 of new values lie below their"
        " answer.**",
        "90.0 % of the training rows lie at or below their answer; 90 % should.",
        "87.6 % of the rows held out lie at or below their answer; 90 % should.",
    ]
    assert loss_words.answer(loss_kind("quantile:0.9"), "price") == "the 0.9 quantile of price"
    told = card_loss.beside_the_reference(metrics(), params)
    assert "the mean of the quantile losses on the training rows, is 3" in told
    assert "has an RMSE of 1.5 there" in told
    assert "above" not in told  # no gap to a solution of another problem


def test_a_quantile_that_its_own_training_rows_do_not_have_is_not_trained_to_its_end() -> None:
    kind = loss_kind("quantile:0.9")
    told = loss_words.share_below(kind, {"below": 0.8}, "training rows")
    assert told is not None
    assert told.endswith("the training stopped short of its optimum (train.epochs, train.lr)")
    assert "stopped" not in (loss_words.share_below(kind, {"below": 0.8}, "rows held out") or "")
    tied = {"below": 0.97, "strictly_below": 0.88}
    exact = loss_words.share_below(kind, tied, "training rows", is_exact=True)
    assert exact == (
        "88.0 % of the training rows lie below their answer, 97.0 % at or below it; 90 % were asked"
        " for"
    ), "rows on the line: the optimum is not wrong"
    older = loss_words.share_below(kind, {"below": 0.97}, "training rows", is_exact=True)
    assert older == "97.0 % of the training rows lie at or below their answer"
    held_out = loss_words.share_below(kind, tied, "rows held out", is_exact=True)
    assert held_out is not None
    assert held_out.endswith("; 90 % should")


def test_squared_errors_say_what_they_did() -> None:
    """Also of a card of an older result, whose parameters have no train.loss."""
    for params in ({"train.reduction": "sum"}, {"train.loss": "squared", "train.reduction": "sum"}):
        assert not list(card_loss.what_it_answers(metrics(), params, SIDES))
        told = card_loss.beside_the_reference(metrics(), params)
        assert "the sum of the squared errors, is 1 above that line's 2." in told


def test_medians_and_robust_lines_say_so() -> None:
    for loss, word in (("absolute", "medians"), ("huber", "between a mean and a median")):
        (told,) = card_loss.what_it_answers(metrics(), {"train.loss": loss}, SIDES)
        assert word in told

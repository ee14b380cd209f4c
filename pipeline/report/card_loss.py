"""The model card's sentences on the loss: what the answers are, and the model beside the reference.

`metrics` is the content of metrics.json, `params` the dotted keys of params.yaml with their values.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report import loss_words, penalty
from pipeline.report.card_coefficients import number


def answer(params: Mapping[str, Any], targets: str) -> str:
    """Return what the model answers: `the prediction of y`, or a quantile of y."""
    return loss_words.answer(loss_words.of_params(params.get("train.loss")), targets)


def what_it_answers(
    metrics: Mapping[str, Any], params: Mapping[str, Any], sides: Mapping[str, str]
) -> Iterator[str]:
    """Yield sentences for readers who expect means: nothing for squared errors.

    sides: names of the rows that were measured, such as "rows held out", and their part of metrics.
    """
    kind = loss_words.of_params(params.get("train.loss"))
    if (told := loss_words.what_it_answers(kind)) is not None:
        yield f"**{told}.**"
    if kind.share is not None:
        for rows, part in sides.items():
            is_exact = params.get("train.optimizer") == "exact"
            told = loss_words.share_below(kind, metrics[part], rows, is_exact=is_exact)
            yield f"{told}."


def beside_the_reference(metrics: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Return the sentence that compares the model with the best line."""
    if "penalty" in metrics:
        return penalty.for_readers(metrics, params)
    reference, reduction = metrics["reference"], params["train.reduction"]
    kind = loss_words.of_params(params.get("train.loss"))
    if not kind.is_squared:
        return (
            f"The final loss, the {reduction} of the {kind.errors} on the training"
            f" rows, is {number(metrics['train']['loss'])}. The line with the smallest squared"
            f" errors (exact least squares) has an RMSE of {number(reference['rmse'])} there, and"
            f" the model, which was asked for another loss, one of"
            f" {number(metrics['train']['rmse'])}."
        )
    gap = reference["gap"]
    return (
        f"The best of all lines (exact least squares) has an RMSE of"
        f" {number(reference['rmse'])} on the training rows. The model's loss, the {reduction} of"
        f" the squared errors, is {number(abs(gap))} {'below' if gap < 0 else 'above'} that"
        f" line's {number(reference['loss'])}."
    )

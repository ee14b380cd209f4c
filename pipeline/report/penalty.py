"""The penalty of a model in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.learning.penalty_messages import kind, two_digits
from pipeline.report import markdown, row_words
from pipeline.report.card_coefficients import number
from pipeline.report.card_columns import first_of

MOST_TARGETS_SHOWN = 3
TOO_FEW_ROWS = "no figures, because fewer rows train for a fold than the model has numbers"
CHOSEN_IN_THEM = "the penalty was chosen in them, which flatters these figures a little"


def words(metrics: Mapping[str, Any]) -> str | None:
    """Return the penalties in words: `ridge, l2 0.02`; None if there are none.

    metrics: the content of metrics.json.
    """
    if (penalty := metrics.get("penalty")) is None:
        return None
    texts = {}
    for target, l1 in penalty["l1"].items():
        l2 = penalty["l2"][target]
        numbers = [f"{name} {value:.6g}" for name, value in (("l1", l1), ("l2", l2)) if value]
        texts[target] = f"{kind(l1, l2)}, {', '.join(numbers)}"
    if len(texts) == 1:
        return next(iter(texts.values()))
    return first_of([f"{target}: {text}" for target, text in texts.items()], MOST_TARGETS_SHOWN)


def folds(metrics: Mapping[str, Any]) -> str | None:
    """Return what cross-validation says of the model; None if metrics.json has no figures of it."""
    if (cv := metrics.get("cv")) is None:
        return None
    rmse, r2 = cv["rmse"], cv["r2"]
    if rmse["mean"] is None:
        return None
    counted = _counted(rmse, "that have rows")
    text = f"root mean square error {rmse['mean']:.6g} ± {two_digits(rmse['std'])}{counted}"
    if r2["std"] is None:  # the target is constant in all folds but one, or in all
        return text
    # A fold where every row has the same value of the target has no R².
    counted = _counted(r2, "where the target varies")
    return f"{text}, R² {r2['mean']:.4g} ± {two_digits(r2['std'])}{counted}"


def _counted(figure: Mapping[str, Any], which: str) -> str:
    """Return the folds that a figure is of, if metrics.json has their number: not all have it.

    which: what the folds that have it have in common.
    """
    return f" (of the {figure['folds']} folds {which})" if "folds" in figure else ""


def of_folds(metrics: Mapping[str, Any], params: Mapping[str, Any]) -> Iterator[str]:
    """Yield the card's sentence on cross-validation, if metrics.json has figures of it.

    params: dotted keys of params.yaml and their values.
    """
    if "cv" not in metrics:
        return
    value, figures = params["data.folds"], folds(metrics)
    how = f"Cross-validation in {row_words.folds(value, markdown.code)}, {row_words.fits(value)}"
    if figures is None:
        yield f"{how}, has {TOO_FEW_ROWS}."
    else:
        yield f"{how}: {figures} (mean and standard deviation of the folds)."
        if is_chosen_by_folds(params):
            yield (
                "The same folds have chosen the penalty, which flatters their figures a little:"
                " rows that are held out (`data.test_fraction`) had no part in it."
            )


def is_chosen_by_folds(params: Mapping[str, Any]) -> bool:
    """Return True if the folds have chosen a penalty. params: see `of_folds`; older ones, too."""
    return "cv" in (params.get("train.l1"), params.get("train.l2"))


def for_readers(metrics: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Return what a reader of the card of a penalized model must know.

    metrics: the content of metrics.json. params: dotted keys of params.yaml and their values.
    """
    how = "chosen by cross-validation" if is_chosen_by_folds(params) else "set in the parameters"
    reference = metrics["reference"]
    return (
        f"**The model is penalized** ({markdown.text(words(metrics) or '')}; {how}): its weights"
        " are smaller than those of least squares on purpose, for smaller errors on new rows. On"
        f" the training rows that costs {number(abs(reference['gap']))} of the loss, the"
        f" {params['train.reduction']} of the squared errors: without a penalty it would be"
        f" {number(reference['loss'])} (RMSE {number(reference['rmse'])}). Weights that are"
        " penalized have no standard errors of their own; those below belong to least squares."
    )

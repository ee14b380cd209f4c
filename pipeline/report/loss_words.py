"""The loss of a training in words, and what a model that was trained with it answers."""

from collections.abc import Mapping
from typing import Any

from pipeline.settings.keys.sections import Language
from pipeline.settings.keys.train_settings import LossKind, loss_kind

TRAINING_ROWS = "training rows"
FAR_OFF = 0.02

SENTENCES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "quantile": "The answers are {share} quantiles, not means: about {below} of new values lie"
        " below their answer",
        "absolute": "The answers are medians, not means: about half of new values lie below their"
        " answer",
        "huber": "The answers lie between a mean and a median: large errors count by their size,"
        " not by its square, so a few odd rows move them little",
    },
    "zh": {
        "quantile": "回答是 {share} 分位数，而不是均值：新的数值约有 {below} 的比例低于其回答",
        "absolute": "回答是中位数，而不是均值：新的数值约有一半低于其回答",
        "huber": "回答介于均值与中位数之间：大的误差按其大小而不按其平方计，"
        "因此少数异常的行对回答影响很小",
    },
}
"""What a model answers, by the loss that it was trained with."""


def of_params(loss: str | None) -> LossKind:
    """Return the loss of a result. loss: its train.loss; older results have None."""
    return loss_kind(loss or "squared")


def answer(kind: LossKind, target: str) -> str:
    """Return what the model answers: `the prediction of y`, or a quantile of y."""
    if kind.share is not None:
        return f"the {kind.share:g} quantile of {target}"
    return f"the prediction of {target}"


def what_it_answers(kind: LossKind, language: Language = "en") -> str | None:
    """Return a sentence for readers who expect a mean; None for squared errors."""
    if kind.is_squared:
        return None
    share = kind.share
    known = {} if share is None else {"share": f"{share:g}", "below": f"{share:.4g}"}
    return SENTENCES[language][kind.name].format(**known)


def share_below(
    kind: LossKind, figures: Mapping[str, Any], rows: str, *, is_exact: bool = False
) -> str | None:
    """Return the sentence on the share of values below their answers; None unless a quantile.

    figures: of metrics.json, of these rows. rows: such as "rows held out". is_exact: True if the
    loss is known to be the smallest one. Then nothing else should be of the training rows: the
    share that was asked for is that of the rows below the line, and of some or all of those on it.
    """
    if kind.share is None:
        return None
    share = figures["below"]
    told = f"{100 * share:.1f} % of the {rows} lie at or below their answer"
    if rows == TRAINING_ROWS and is_exact:
        if "strictly_below" not in figures:  # an older result
            return told
        return f"{100 * figures['strictly_below']:.1f} % of the {rows} lie below their answer," + (
            f" {100 * share:.1f} % at or below it; {100 * kind.share:g} % were asked for"
        )
    told += f"; {100 * kind.share:g} % should"
    if rows == TRAINING_ROWS and abs(share - kind.share) > FAR_OFF:
        told += ": the training stopped short of its optimum (train.epochs, train.lr)"
    return told

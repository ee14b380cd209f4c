"""Contradictions between the settings of the model, and of others with a model that is no line."""

from collections.abc import Iterator

from pipeline.settings import messages
from pipeline.settings.keys.sections import Params
from pipeline.settings.yaml_file import Key

Mistakes = Iterator[tuple[Key, str]]


def of(params: Params) -> Mistakes:
    """Yield each contradiction."""
    yield from _layers(params)
    if not params.model.is_linear:
        yield from _for_lines_alone(params)
    if params.model.dropout and params.model.hidden and params.train.optimizer == "lbfgs":
        yield (
            ("train", "optimizer"),
            f"found lbfgs with model.dropout {params.model.dropout}; its line search must get one"
            " loss for the same weights, and dropout draws others each time: set it to adam or sgd,"
            " or model.dropout to 0.0",
        )


def _layers(params: Params) -> Mistakes:
    """Yield the settings of layers that are not there."""
    model, reason = params.model, "model.hidden is [], so there is no hidden layer"
    cure = "or model.hidden to [32, 32], say"
    if model.module is not None:
        reason = f"model.module {model.module} makes its own layers"
        cure = "or model.module to null"
        if model.hidden:
            yield (
                ("model", "hidden"),
                f"found {[*model.hidden]}, but {reason}; set it to [], {cure}",
            )
        if not model.bias:
            yield ("model", "bias"), f"found false, but {reason}; set it to true, {cure}"
    elif model.hidden:
        return
    for name, usual in (("activation", "relu"), ("dropout", 0.0)):
        value = getattr(model, name)
        if value != usual:
            yield (
                ("model", name),
                f"found {messages.show(value)}, but {reason}; set it to {messages.show(usual)},"
                f" {cure}",
            )


def _for_lines_alone(params: Params) -> Mistakes:
    """Yield what only a linear model can have."""
    train, model = params.train, params.model
    if train.optimizer == "exact":
        yield (
            ("train", "optimizer"),
            f"found exact, which is for linear models, but {model.cause}; set it to adam, sgd or"
            f" lbfgs, or {model.cure}",
        )
    if train.reduce_rows is True:
        yield (
            ("train", "reduce_rows"),
            f"found true, which is for linear models, but {model.cause}; set it to auto, or"
            f" {model.cure}",
        )
    if not params.data.keep_rows:
        yield (
            ("data", "keep_rows"),
            f"found false, but {model.cause}, and such a model is trained on the rows themselves:"
            f" only a linear model can be trained on their sums; set it to true, or {model.cure}",
        )
    if params.data.clusters is not None:
        yield (
            ("data", "clusters"),
            f"found {messages.show(params.data.clusters)}, but {model.cause}: clustered errors are"
            " those of coefficients, which only a linear model has; set it to null, or"
            f" {model.cure}",
        )

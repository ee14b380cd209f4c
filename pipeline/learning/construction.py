"""New modules: with initial parameters, or a linear module with given parameters."""

import torch
from torch import nn

from pipeline.learning import module, own_module
from pipeline.learning.module import LinearModel
from pipeline.learning.prediction import eval_mode
from pipeline.settings.params import Model as Settings


def initial(settings: Settings, features: int, targets: int) -> nn.Module:
    """Return the module to train, with its initial parameters.

    Forward runs once, because lazy layers create their parameters then.
    Raises UserError if the user's own module cannot be made, or if its forward fails.
    """
    built = module.build(settings, features, targets)
    dtypes = (each.dtype for each in built.parameters() if each.dtype.is_floating_point)
    name = type(built).__name__
    with (
        own_module.blamed(f"model.module: {name} cannot answer two rows of {features} features"),
        eval_mode(built),
    ):
        built(torch.zeros(2, features, dtype=next(dtypes, None)))
    return built


def linear(weight: torch.Tensor, bias: torch.Tensor, settings: Settings) -> LinearModel:
    """Return the linear model with these parameters, in their dtype.

    weight: [targets, features]; bias: [targets], ignored if the model has no bias.
    """
    built = module.build(settings, weight.shape[1], weight.shape[0]).to(weight.dtype)
    assert isinstance(built, LinearModel), "`exact` is refused with any other model"
    with torch.no_grad():
        built.linear.weight.copy_(weight)
        if built.linear.bias is not None:
            built.linear.bias.copy_(bias)
    return built

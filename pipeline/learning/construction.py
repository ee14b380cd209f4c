"""New modules: with initial parameters, or a linear module with given parameters."""

import torch
from torch import nn

from pipeline.learning import module
from pipeline.learning.module import LinearModel
from pipeline.learning.prediction import eval_mode
from pipeline.settings.errors import UserError
from pipeline.settings.params import Model as Settings


def initial(settings: Settings, features: int, targets: int) -> nn.Module:
    """Return the module to train, with its initial parameters.

    Forward runs once, because lazy layers create their parameters then.
    Raises UserError if `build` does not return a module, or if forward fails.
    """
    built = module.build(settings, features, targets)
    if not isinstance(built, nn.Module):
        raise UserError(f"module.build: found a {type(built).__name__}; must return an nn.Module")
    dtypes = (each.dtype for each in built.parameters() if each.dtype.is_floating_point)
    with eval_mode(built):
        try:
            built(torch.zeros(2, features, dtype=next(dtypes, None)))
        except Exception as error:  # the user's own code: it may raise anything
            raise UserError(
                f"module.build: {type(built).__name__} cannot answer two rows of"
                f" {features} features: {type(error).__name__}: {error}"
            ) from error
    return built


def linear(weight: torch.Tensor, bias: torch.Tensor, settings: Settings) -> LinearModel:
    """Return the linear model with these parameters, in their dtype.

    weight: [targets, features]; bias: [targets], ignored if the model has no bias.
    Raises UserError if `build` returns a module that is not a LinearModel.
    """
    built = module.build(settings, weight.shape[1], weight.shape[0]).to(weight.dtype)
    if not isinstance(built, LinearModel):
        raise UserError(
            f"train.optimizer: found exact, which is for linear models, but module.build returns"
            f" a {type(built).__name__}; set it to sgd, adam or lbfgs"
        )
    with torch.no_grad():
        built.linear.weight.copy_(weight)
        if built.linear.bias is not None:
            built.linear.bias.copy_(bias)
    return built

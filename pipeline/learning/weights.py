"""Trained parameters: rounded to `model.dtype`, saved as model.safetensors, loaded as a module.

`line.load_line` reads the file of a linear model without torch.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from pipeline.learning import construction
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.prediction import dtype_name, line_of
from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.ids import Training
from pipeline.settings.params import Model as Settings

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def rounded(module: nn.Module, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the module's parameters and buffers by name, rounded once to `dtype`.

    The weights of a standardized linear model are divided by the deviation before they are rounded.
    Raises UserError if a value is too large for `dtype`.
    """
    state = {name: value.detach().cpu() for name, value in module.state_dict().items()}
    if isinstance(module, Standardized) and isinstance(module.module, LinearModel):
        deviation = state.pop("deviation", torch.ones(1))
        weight = state["module.linear.weight"].double() / deviation.double()
        state["module.linear.weight"] = weight
    for name, value in state.items():
        if value.is_floating_point():
            state[name] = value.to(dtype)
            if not bool(torch.isfinite(state[name]).all()):
                raise UserError(
                    f"model.dtype: {name} has values beyond what {dtype_name(dtype)} holds;"
                    " use float64 or scale the data"
                )
    return state


def save(path: Path, module: nn.Module, dtype: torch.dtype, training: Training) -> None:
    """Write the module's parameters and buffers, rounded once to `dtype`.

    The file's metadata hold the training and whether the module is linear, under one key, because
    safetensors writes several keys in a random order.
    Raises UserError if a value is too large for `dtype`.
    """
    # Copies: a layer used twice has one tensor under two names, and safetensors writes it once.
    state = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in rounded(module, dtype).items()
    }
    metadata = {
        "linear": line_of(module) is not None,
        "tables": dict(training.tables),
        "training_id": training.id,
    }
    content = safetensors.torch.save(state, metadata={"abline": json.dumps(metadata)})
    files.write_bytes(path, content)


def load(path: Path, settings: Settings, features: int, targets: int) -> nn.Module:
    """Return the module that `save` wrote to `path`, in `model.dtype`.

    Raises UserError if the file is missing, damaged or of another model.
    """
    try:
        # safetensors holds Python's lock while it opens a file: a signal could not interrupt it.
        regular_file.check(path)
        state = safetensors.torch.load_file(path)
        return from_state(state, settings, features, targets)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: not this job's model ({error}); `dvc repro` makes it") from None


def from_state(
    state: Mapping[str, torch.Tensor], settings: Settings, features: int, targets: int
) -> nn.Module:
    """Return a new module with the parameters and buffers that `rounded` gave, in `model.dtype`.

    Raises RuntimeError if they belong to another module.
    """
    module = construction.initial(settings, features, targets)
    if settings.standardize and isinstance(module, LinearModel):
        module = Standardized(module, torch.zeros(features), None)
    elif settings.standardize:
        scales = torch.zeros(features), torch.ones(features), torch.zeros(targets)
        module = Standardized(module, *scales, torch.ones(targets))
    module.to(DTYPES[settings.dtype])
    module.load_state_dict(state)
    return module.eval()

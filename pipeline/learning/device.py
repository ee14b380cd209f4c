"""The device that a training runs on: the CPU or a GPU."""

import os

import torch

from pipeline.settings.errors import UserError


def choose(setting: str) -> torch.device:
    """Return the device of `train.device`: cpu, cuda or auto.

    Raises UserError if a GPU is required and torch finds no GPU.
    """
    if setting == "cpu" or (setting == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            "train.device: found cuda, but torch finds no CUDA GPU here; set it to cpu, or to auto"
            " to use a GPU only where there is one"
        )
    # cuBLAS repeats its bits only with this setting, made before its first use.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")

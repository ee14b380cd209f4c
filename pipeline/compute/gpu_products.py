"""Inner products of slices on a GPU, in float64: the same integers as on a CPU.

A product of two slices of `exact.slices` is exact in whatever order the GPU adds. Only an emulation
of float64 by a shorter arithmetic could change it, which cuBLAS has since CUDA 13.
"""

import os
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.exact.products import Product, own_product
from pipeline.settings.errors import UserError

EMULATION = "CUBLAS_EMULATE_DOUBLE_PRECISION"
"""Variable that lets cuBLAS compute float64 by integers of 8 bits, however many it finds enough."""


def refuse_emulation() -> None:
    """Raise UserError if cuBLAS is told to emulate float64."""
    value = os.environ.get(EMULATION, "0")
    if value != "0":
        raise UserError(
            f"{EMULATION}: found {value}, with which cuBLAS may round products that must be exact;"
            f" `unset {EMULATION}`, or set train.device to cpu"
        )


def products(
    weighted: NDArray[np.float64], slices: NDArray[np.float64], device: torch.device
) -> NDArray[np.float64]:
    """Return the inner products of slices [slices, rows], exactly: [slices, slices].

    weighted: the same slices, perhaps times weights.

    Raises UserError if cuBLAS is told to emulate float64.
    """
    refuse_emulation()
    rows = torch.from_numpy(slices).to(device)
    left = rows if weighted is slices else torch.from_numpy(weighted).to(device)
    result: NDArray[np.float64] = torch.mm(left, rows.T).cpu().numpy()
    return result


def product() -> Product:
    """Return the function that multiplies slices on the GPU, or on the CPU if there is none.

    Raises UserError if cuBLAS is told to emulate float64.
    """
    if not torch.cuda.is_available():
        return own_product
    refuse_emulation()
    return partial(products, device=torch.device("cuda"))

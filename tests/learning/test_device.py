"""A GPU that is required must be there."""

import pytest
import torch

from pipeline.learning import device as devices
from pipeline.settings.errors import UserError


def test_a_gpu_that_is_not_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA GPU")
    with pytest.raises(UserError, match=r"train.device: found cuda, but torch finds no CUDA GPU"):
        devices.choose("cuda")
    assert devices.choose("auto") == devices.choose("cpu") == torch.device("cpu")

"""The message about a file that failed says what would help."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import WIDE, job, make
from onnx_files import matrices, replace
from torch import nn

from pipeline.onnx_model import exporter
from pipeline.settings.errors import UserError


def test_the_message_names_the_key_that_helps_only_where_it_does(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runtime that is a little rough, and one that is wrong."""
    monkeypatch.setattr(
        "pipeline.learning.module.build",
        lambda _, features, targets: nn.Sequential(
            nn.Linear(features, 4), nn.Tanh(), nn.Linear(4, targets)
        ),
    )
    right = exporter.export
    factor = 1 + 3e-5

    def rough(*args: Any) -> bytes:
        proto = onnx.load_from_string(right(*args))
        tensor, value = matrices(proto)[-1]
        replace(tensor, (value * factor).astype(np.float32))
        return proto.SerializeToString()

    monkeypatch.setattr(exporter, "export", rough)
    with pytest.raises(UserError) as caught:
        make(job(**WIDE))
    (enough,) = re.findall(r"set export\.atol to (\S+) \(it is 0\)", str(caught.value))
    make(job(**WIDE, export__atol=float(enough)))
    factor = 1.5
    with pytest.raises(UserError, match="checks and was not written") as wrong:
        make(job(**WIDE, export__atol=float(enough)))
    assert "export.atol" not in str(wrong.value)

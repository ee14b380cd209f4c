"""A file that failed is not written, and the message names the key that helps."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from conftest import WIDE, job, make
from onnx_files import matrices, replace
from torch import nn

from pipeline import export
from pipeline.onnx_model import exporter
from pipeline.settings import files
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


def test_a_failed_verification_leaves_no_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = job()
    make(params)
    assert files.ONNX.exists()
    write = exporter.export

    def write_then_spoil(module: Any, *rest: Any) -> bytes:
        content = write(module, *rest)
        module.linear.bias.data += 1e-3  # the file is compared with another model now
        return content

    monkeypatch.setattr(exporter, "export", write_then_spoil)
    with pytest.raises(UserError) as caught:
        export.main(params)
    told = str(caught.value).splitlines()
    assert told[0].startswith("the ONNX file failed ")
    assert told[0].endswith(" checks and was not written:")
    assert any(line.startswith("  ORT_ENABLE_ALL: training rows: row ") for line in told)
    assert not files.ONNX.exists()

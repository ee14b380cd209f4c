"""Copies of a model's two files that tests of the clients spoil."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.settings import files


def copied(folder: Path, to: Path) -> Path:
    """Copy the two files of models/, so that a test may spoil them; return the new folder."""
    for name in (files.ONNX.name, files.CONTRACT.name):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def rewritten(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """Return a function that applies `change` to the contract.json in a folder."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / "contract.json").read_text())
        change(content)
        (folder / "contract.json").write_text(json.dumps(content))

    return spoil

"""A table as a person brings it, described and summed up, in a folder of its own."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from rounds import ROOT

sys.path.insert(0, str(ROOT))

from pipeline import describe, generate
from pipeline.columns import plan as learnt
from pipeline.columns.blocks import TableFile
from pipeline.columns.plan import Plan
from pipeline.columns.summary import Summary, read_summary
from pipeline.settings import files, params
from pipeline.settings.params import Params

NO_QUERIES: dict[str, Any] = {"queries": []}


@dataclass(frozen=True)
class SummedTable:
    """What the stages after `generate` read of a table. The working folder is its job's."""

    settings: Params
    plan: Plan
    summary: Summary

    @property
    def texts(self) -> list[str]:
        """The raw columns of text."""
        return [column.name for column in self.plan.columns if column.kind == "category"]

    def held_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the encoded features of the rows held out, and their target."""
        table = TableFile(files.TEST, self.plan, self.settings.data.targets)
        values = np.concatenate([block.values for block in table.blocks()])
        return values[:, :-1], values[:, -1]


def described(path: Path, target: str, folder: Path, aside: Sequence[str] = ()) -> None:
    """Make `folder` the job of a table, as `describe --write` proposes it, and the working folder.

    aside: columns that are left out if the table has them, because they tell the target.
    Raises UserError if `describe` refuses the table.
    """
    raw = folder / "data/raw" / path.name
    raw.parent.mkdir(parents=True)
    raw.write_bytes(path.read_bytes())
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    os.chdir(folder)
    describe.describe(raw.relative_to(folder), [target], [], write=True, as_json=False)
    data = yaml.safe_load(params.PATH.read_text(encoding="utf-8"))["data"]
    told = [name for name in aside if name in data["features"]]
    features = {name: kind for name, kind in data["features"].items() if name not in told}
    excluded = [*data["exclude"], *told]
    changed = _changed({}, data={"features": features, "exclude": excluded}, evaluate=NO_QUERIES)
    params.PATH.write_text(changed, encoding="utf-8")


def summed(seed: int, folds: int = 5) -> SummedTable:
    """Return the table of the working folder, with a fifth of its rows held out.

    Raises UserError if `generate` refuses it.
    """
    settings = job({"seed": seed}, data={"test_fraction": 0.2, "folds": folds})
    generate.main(settings)
    return SummedTable(settings, learnt.read_plan(), read_summary())


def job(settings: Mapping[str, Any], **sections: Mapping[str, Any]) -> Params:
    """Return the job of the working folder with other settings, of the whole and of sections."""
    return params.parse(_changed(settings, **sections))


def _changed(settings: Mapping[str, Any], **sections: Mapping[str, Any]) -> str:
    values = yaml.safe_load(params.PATH.read_text(encoding="utf-8")) | settings
    for name, section in sections.items():
        values[name] |= section
    return yaml.safe_dump(values)

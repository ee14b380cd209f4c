"""The md5s of all outputs: as dvc.lock promises them, and as a machine computes them."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import yaml
from conftest import ROOT, Checkout

# Variables of a user's machine that must not change a byte.
ELSEWHERE = {
    "LC_ALL": "de_DE.UTF-8",
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "4711",
    "OMP_NUM_THREADS": "1",
    "USER": "someone",
}

# Runs the computing stages in one process and prints the md5 of every output.
COMPUTE = """
import json, warnings
warnings.simplefilter("ignore")
from pipeline import evaluate, export, generate, train
from pipeline.settings import declared, ids, params
import contextlib
nothing = lambda *_: None
train.live_run = lambda: contextlib.nullcontext(
    type("NoRun", (), {"begin": nothing, "log_losses": nothing}))
for stage in (generate, train, evaluate, export):
    stage.main(params.load())
outs = [out for stage in declared.stages().values() for out in stage["outs"]]
print(json.dumps(ids.md5s([out for out in outs if out != "reports/run.json"])))
"""


def promised() -> dict[str, str]:
    """Return the md5 of every output in dvc.lock, by path."""
    stages = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    outs = {out["path"]: out["md5"] for stage in stages.values() for out in stage["outs"]}
    return {path: md5 for path, md5 in outs.items() if path != "reports/run.json"}


def computed(checkout: Checkout, machine: Mapping[str, Any]) -> dict[str, str]:
    """Run the computing stages on a machine with these variables; return the md5s by path."""
    output = checkout(sys.executable, "-c", COMPUTE, **machine)
    md5s: dict[str, str] = json.loads(output.splitlines()[-1])
    return md5s

"""By how many units of the last place the exp of float64 errs: onnxruntime's, torch's and ours.

The bound of a log target's answers (pipeline/onnx_model/own_unit.py) allows EXP_ULPS to each. In
Python always; in Node and in WebAssembly where clients/javascript has its packages (`npm install`).
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from flint import arb
from numpy.typing import NDArray
from onnx import TensorProto, helper

from pipeline.exact import elementary
from pipeline.exact.rounding import exactly, precision
from pipeline.onnx_model.own_unit import EXP_ULPS

ROOT = Path(__file__).parent.parent
SCRIPT = """
import fs from "node:fs";
const [, , name, folder] = process.argv;
const ort = await import(name);
const web = name === "onnxruntime-web";
if (web) ort.env.wasm.numThreads = 1;
const file = new Uint8Array(fs.readFileSync(`${folder}/exp.onnx`));
const session = await ort.InferenceSession.create(file, web ? {executionProviders: ["wasm"]} : {});
const bytes = fs.readFileSync(`${folder}/x.bin`);
const x = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
const {y} = await session.run({x: new ort.Tensor("float64", x, [x.length])});
fs.writeFileSync(`${folder}/y.bin`, new Uint8Array(y.data.buffer, y.data.byteOffset, 8 * x.length));
process.exit(0);
"""


def model() -> bytes:
    """Return an ONNX file of one Exp."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n"]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Exp", ["x"], ["y"])], "exp", [x], [y])
    opsets = [helper.make_opsetid("", 20)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    content: bytes = proto.SerializeToString()
    return content


def in_python(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the answers of onnxruntime's Python package."""
    y: NDArray[np.float64]
    (y,) = onnxruntime.InferenceSession(model()).run(None, {"x": x})
    return y


def in_javascript(package: str, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the answers of a package of JavaScript; None if it is not installed."""
    client = ROOT / "clients/javascript"
    if not (client / "node_modules" / package).exists():
        return None
    with TemporaryDirectory(dir=client) as name:
        folder = Path(name)
        (folder / "exp.onnx").write_bytes(model())
        (folder / "x.bin").write_bytes(x.tobytes())
        (folder / "exp.mjs").write_text(SCRIPT)
        subprocess.run(["node", folder / "exp.mjs", package, folder], check=True)
        return np.fromfile(folder / "y.bin")


def main() -> None:
    """Print the largest error of each."""
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(-700, 709, 500_000), random.uniform(-3, 20, 500_000)])
    right = elementary.exp(x)
    answers = {
        f"onnxruntime {onnxruntime.__version__} in Python": in_python(x),
        f"torch {torch.__version__}": torch.from_numpy(x).exp().numpy(),
        "onnxruntime-node": in_javascript("onnxruntime-node", x),
        "onnxruntime-web (WebAssembly)": in_javascript("onnxruntime-web", x),
    }
    print(f"exp of {len(x):,} numbers from -700 to 709; the bound allows {EXP_ULPS} units")
    for name, y in answers.items():
        if y is not None:
            print(f"{name}: at most {np.max(np.abs(y - right) / np.spacing(right)):.1f} units")
    with precision(200):
        some = list(zip(x[:20_000].tolist(), right[:20_000].tolist(), strict=True))
        errors = [
            abs(
                float((exactly(arb(a).exp().mid()) - exactly(arb(b))) / exactly(arb(np.spacing(b))))
            )
            for a, b in some
        ]
    print(f"pipeline.exact.elementary: at most {max(errors):.3f} units")


if __name__ == "__main__":
    main()

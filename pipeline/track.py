"""Stage `track`: make the MLflow run of this result complete.

Reads   all that the stages before it wrote
Writes  reports/run.json, the identity of the result, and the MLflow run
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities import Dataset

from pipeline import files, lineage, stage, table, tracking
from pipeline import params as params_yaml
from pipeline.params import Params
from pipeline.tracking import Result

# What a client needs to answer with the model: no torch.
SERVING = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")


def main(params: Params) -> None:
    """Read the result from its files and record it."""
    identity = lineage.result(params, lineage.trained_by(files.MODEL))
    print(tracking.record(params, read_result(params, identity)))
    files.write_json(files.RUN, identity)


def read_result(params: Params, identity: dict[str, Any]) -> Result:
    """Read the files of the workspace into what a run shows."""
    metrics = dict(flatten(json.loads(files.METRICS.read_text(encoding="utf-8"))))
    rows, held_out = table.read(files.TRAIN), table.read(files.TEST)
    return Result(
        identity=identity,
        losses=[
            (
                int(row["epoch"]),
                float(row["loss"]),
                float(row["test_loss"]) if "test_loss" in row else None,
            )
            for row in files.read_csv(files.HISTORY)
        ],
        metrics=metrics,
        artifacts=[params_yaml.PATH, *(Path(out) for out in identity["outs"] if is_report(out))],
        onnx_file=files.ONNX.read_bytes(),
        example=rows.columns(rows.features(params.data.targets))[:1].astype(params.model.dtype),
        requirements=pins(SERVING),
        data={
            context: dataset(path, part, identity["outs"][str(path)])
            for context, path, part in (
                ("training", files.TRAIN, rows),
                ("test", files.TEST, held_out),
            )
            if len(part.values)
        },
        note=note(identity, metrics),
    )


def is_report(out: str) -> bool:
    """Whether an output is for people: data stay out of the store, the model has its own place."""
    return Path(out).parts[0] == "reports"


def flatten(nested: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """Dotted names and numbers; what is null has no value to log."""
    flat: list[tuple[str, float]] = []
    for key, value in nested.items():
        if isinstance(value, dict):
            flat += flatten(value, f"{prefix}{key}.")
        elif value is not None:
            flat.append((prefix + key, float(value)))
    return flat


def dataset(path: Path, rows: table.Table, md5: str) -> Dataset:
    """A table of the result as MLflow describes datasets, by our own digest."""
    columns = [{"type": "double", "name": name, "required": True} for name in rows.names]
    return Dataset(
        name=path.name,
        digest=md5,
        source_type="local",
        source=json.dumps({"uri": str(path)}),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(
            {"num_rows": len(rows.values), "num_elements": int(np.size(rows.values))}
        ),
    )


def pins(names: tuple[str, ...]) -> list[str]:
    """The lines of requirements.txt for `names`."""
    lines = stage.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in names]


def note(identity: dict[str, Any], metrics: dict[str, float]) -> str:
    """The run's description: its figures and the way back to it."""
    head = lineage.commit()
    back = f"`git checkout {head[:12]}`, the parameters below and " if head else ""
    if head and (changed := lineage.changed_code()):
        named = ", ".join(f"`{path}`" for path in changed[:10]) + ", …" * (len(changed) > 10)
        back += f"changes that were not committed ({named}) and "
    figures = "\n".join(f"| {name} | {value:g} |" for name, value in list(metrics.items())[:30])
    return (
        f"Made by {back}`dvc repro`.\n\n"
        f"model.safetensors md5 `{identity['outs'][str(files.MODEL)]}`,"
        f" training_id `{identity['training_id']}`, result_id `{identity['result_id']}`.\n\n"
        f"| metric | value |\n|---|---|\n{figures}\n"
    )


if __name__ == "__main__":
    stage.run(main)

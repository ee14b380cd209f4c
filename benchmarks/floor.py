"""Lower bound for a pipeline of these stages: import the libraries, and export once."""

import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401
import mlflow
import numpy as np  # noqa: F401
import onnx  # noqa: F401
import onnxruntime
import pyarrow.parquet  # noqa: F401
import torch

model = torch.nn.Linear(1, 1)
torch.optim.SGD(model.parameters(), lr=0.01)
mlflow.MlflowClient("sqlite:///floor.db")
x = torch.tensor([[4.0]])
program = torch.onnx.export(model, (x,), dynamo=True, verbose=False)
assert program is not None
onnxruntime.InferenceSession(program.model_proto.SerializeToString())

"""Export the model to ONNX and compare one answer with onnxruntime's."""

import numpy as np
import onnxruntime
import torch
import yaml
from model import LinearModel

with open("params.yaml") as file:
    params = yaml.safe_load(file)

model = LinearModel()
model.load_state_dict(torch.load("models/model.pt"))
model.eval()

x = torch.tensor([[params["query"]]])
torch.onnx.export(
    model,
    (x,),
    "models/model.onnx",
    input_names=["x"],
    output_names=["y"],
    dynamic_shapes={"x": {0: "batch"}},
)
session = onnxruntime.InferenceSession("models/model.onnx")
answer = session.run(None, {"x": x.numpy()})[0]
np.testing.assert_allclose(answer, model(x).detach().numpy(), rtol=1e-5)

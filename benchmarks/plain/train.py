"""Train the model, with the loss of each epoch in MLflow."""

from pathlib import Path

import mlflow
import pandas as pd
import torch
import yaml
from model import LinearModel

with open("params.yaml") as file:
    params = yaml.safe_load(file)

table = pd.read_csv("data/train.csv")
x = torch.tensor(table[["x"]].values, dtype=torch.float32)
y = torch.tensor(table[["y"]].values, dtype=torch.float32)

torch.manual_seed(0)
model = LinearModel()
criterion = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=params["lr"])

mlflow.set_experiment("plain")
with mlflow.start_run():
    mlflow.log_params(params)
    for epoch in range(params["epochs"]):
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mlflow.log_metric("loss", loss.item(), step=epoch)

Path("models").mkdir(exist_ok=True)
torch.save(model.state_dict(), "models/model.pt")

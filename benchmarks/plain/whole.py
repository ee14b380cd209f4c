"""A large table from Parquet to an ONNX file, as most people write it. argv: the Parquet file."""

import sys
from pathlib import Path

import mlflow
import pandas as pd
from skl2onnx import to_onnx
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split

table = pd.read_parquet(sys.argv[1])
x, y = table.drop(columns="y"), table["y"]
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("plain")
with mlflow.start_run():
    model = LinearRegression().fit(x_train, y_train)
    predicted = model.predict(x_test)
    mlflow.log_params({"test_size": 0.2, "rows": len(table)})
    mlflow.log_metrics(
        {
            "mse": mean_squared_error(y_test, predicted),
            "mae": mean_absolute_error(y_test, predicted),
            "r2": r2_score(y_test, predicted),
        }
    )
    content = to_onnx(model, x_train[:1].to_numpy("float32")).SerializeToString()
    Path("model.onnx").write_bytes(content)
    mlflow.log_artifact("model.onnx")

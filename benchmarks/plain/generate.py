"""Prepare the dataset."""

from pathlib import Path

import pandas as pd
import yaml

with open("params.yaml") as file:
    params = yaml.safe_load(file)

table = pd.DataFrame({"x": params["x"]})
table["y"] = params["slope"] * table["x"]
Path("data").mkdir(exist_ok=True)
table.to_csv("data/train.csv", index=False)

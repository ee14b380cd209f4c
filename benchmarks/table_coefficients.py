"""Coefficients and standard errors of a job beside those of statsmodels on the same encoding.

The encoding is made anew, by pandas, from the rows of data/train.parquet and what data/columns.json
says of levels, references and fills. Columns are standardized for statsmodels, which loses digits
on columns in their own units; slopes and their errors are scaled back, and the bias, which
changes, is not compared.
"""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import statsmodels.api as sm


def digits(target: str) -> tuple[float, float]:
    """Return the digits that agree in the worst slope and in the worst standard error.

    Of the job in the working folder. 15.95 digits are all of float64.
    """
    frame = pq.read_table("data/train.parquet").to_pandas(date_as_object=False)
    plan = json.loads(Path("data/columns.json").read_bytes())
    encoded = pd.concat([_encoded(frame[c["name"]], c) for c in plan["columns"]], axis=1)
    with Path("reports/coefficients.csv").open(newline="", encoding="utf-8") as file:
        ours = {row["term"]: row for row in csv.DictReader(file) if row["std_error"]}
    ours.pop("bias", None)
    x = encoded[list(ours)]
    scale = x.std(ddof=0)
    peer = sm.OLS(frame[target], sm.add_constant((x - x.mean()) / scale)).fit()
    reference = pd.Series({term: float(row["reference"]) for term, row in ours.items()})
    errors = pd.Series({term: float(row["std_error"]) for term, row in ours.items()})
    return (
        _agreement(reference, peer.params.drop("const") / scale),
        _agreement(errors, peer.bse.drop("const") / scale),
    )


def _encoded(values: pd.Series, column: dict[str, Any]) -> pd.DataFrame:
    """Return the numbers of a column, by their names."""
    name = column["name"]
    if column["kind"] == "number":
        numbers = values if column["fill"] is None else values.fillna(column["fill"])
        indicator = {f"{name}[missing]": values.isna() * 1.0} if column["indicator"] else {}
        return pd.DataFrame({name: numbers, **indicator})
    if column["kind"] == "category":
        levels = [level["name"] for level in column["levels"]]
        texts = values.where(values.isin([*levels, ""]), "(rare)").replace("", "(missing)")
        return pd.get_dummies(texts, dtype=float).add_prefix(f"{name}[").add_suffix("]")
    days = (values.dt.normalize() - pd.Timestamp(0)).dt.days
    parts = {
        f"{name}[days]": days,
        f"{name}[year]": values.dt.year,
        f"{name}[hour]": values.dt.hour,
    }
    for part, of in (("month", values.dt.month), ("weekday", values.dt.weekday + 1)):
        parts |= {f"{name}[{part}={level}]": (of == level) * 1.0 for level in sorted(set(of))}
    return pd.DataFrame(parts)


def _agreement(ours: pd.Series, theirs: pd.Series) -> float:
    """Return −log10 of the largest relative difference, at most 15.95."""
    difference = float((abs(ours - theirs) / abs(ours)).max())
    return -math.log10(max(difference, np.finfo(float).eps / 2))

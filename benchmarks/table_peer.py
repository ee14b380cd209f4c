"""The common way from a table to an ONNX file: pandas, scikit-learn's ColumnTransformer, skl2onnx.

`first_try` is the script that most people write; `held_out_r2` fits scikit-learn's
LinearRegression to the rows and columns that our pipeline took, on the usual encoding.
"""

import math
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from shipped_tables import FOLDER
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

NUMBERS = make_column_selector(dtype_include="number")
TEXTS = make_column_selector(dtype_exclude="number")
ALPHAS = np.logspace(-6, 6, 100)


def first_try(path: Path, target: str) -> str:
    """Return "" if the usual script goes from the file to an ONNX file that answers, else why not.

    Every column but the target is a feature, a row number too: the script asks nobody.
    """
    sys.path.append(str(FOLDER))
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    warnings.simplefilter("ignore")
    try:
        table = pd.read_json(path) if path.suffix == ".json" else pd.read_csv(path)
        y = table.pop(target)
        train, test, y_train, _ = train_test_split(table, y, test_size=0.2, random_state=0)
        encoder = make_column_transformer(
            (SimpleImputer(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), TEXTS)
        )
        model = make_pipeline(encoder, RidgeCV()).fit(train, y_train)
        numbers = NUMBERS(table)
        types = [
            (name, FloatTensorType([None, 1]) if name in numbers else StringTensorType([None, 1]))
            for name in table
        ]
        content = to_onnx(model, initial_types=types).SerializeToString()
        session = onnxruntime.InferenceSession(content)
        # By place: the exporter writes other names, Unnamed__0 for "Unnamed: 0".
        feed = {
            given.name: test[[name]].to_numpy(np.float32 if name in numbers else object)
            for given, name in zip(session.get_inputs(), table, strict=True)
        }
        answers, expected = session.run(None, feed)[0].ravel(), model.predict(test)
        if not np.allclose(answers, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max()):
            return "the ONNX file answers otherwise than scikit-learn"
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def held_out_r2(
    features: Sequence[str], target: str, texts: Sequence[str], penalized: bool = False
) -> float:
    """Return R² on data/test.parquet of a fit to data/train.parquet, both of `generate`.

    A date is its days since 1970; texts: the names of the columns of text. penalized: standardize
    the numbers and let RidgeCV choose a penalty, in place of LinearRegression.
    """
    warnings.simplefilter("ignore")
    train, test = (_frame(path) for path in ("data/train.parquet", "data/test.parquet"))
    numbers = [name for name in features if name not in texts]
    filled = make_pipeline(SimpleImputer(), StandardScaler()) if penalized else SimpleImputer()
    encoder = make_column_transformer(
        (filled, numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=not penalized), list(texts)),
    )
    regression = RidgeCV(alphas=ALPHAS) if penalized else LinearRegression()
    model = make_pipeline(encoder, regression)
    model.fit(train[list(features)], train[target])
    return r2(test[target].to_numpy(float), model.predict(test[list(features)]))


def r2(y: NDArray[np.float64], answers: NDArray[np.float64]) -> float:
    """Return the coefficient of determination; NaN for fewer than two rows."""
    return float(r2_score(y, answers)) if len(y) > 1 else math.nan


def _frame(path: str) -> pd.DataFrame:
    """Return a table of `generate`, each date as a number of days."""
    frame = pq.read_table(path).to_pandas(date_as_object=False)
    for name in frame.select_dtypes("datetime"):
        frame[name] = (frame[name] - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return frame

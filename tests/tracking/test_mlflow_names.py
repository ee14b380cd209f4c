"""Names that MLflow would refuse are replaced or reported before there is half a run."""

from types import SimpleNamespace as Namespace
from typing import Any

import pytest

from pipeline.settings.errors import UserError
from pipeline.tracking import mlflow_names


def result(params: Any = (), metrics: Any = (), outs: Any = ()) -> Any:
    """Return the parts of a result that have names."""
    identity = {"params": dict.fromkeys(params), "outs": dict.fromkeys(outs, "0" * 32)}
    return Namespace(identity=identity, metrics=dict.fromkeys(metrics, 1.0))


def test_metrics_of_columns_of_any_name_have_names_of_their_own() -> None:
    metrics = {"y$": 1.0, "y%": 2.0, "y_": 3.0, "y_ 2": 4.0, "y//z": 5.0, "é" * 300: 6.0}
    named = mlflow_names.of_metrics(metrics)
    assert list(named.items()) == [
        ("y_", 1.0),
        ("y_ 2", 2.0),
        ("y_ 3", 3.0),
        ("y_ 2 2", 4.0),
        ("y__z", 5.0),
        ("é" * 200, 6.0),
    ]
    mlflow_names.check(result(["train.lr"], metrics, ["models/model.onnx"]))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"params": ["../../etc/x"]}, "takes no such name: the parameter '../../etc/x'"),
        ({"params": ["a//b", "/a", "a;b"]}, "'a//b', the parameter '/a', the parameter 'a;b'"),
        ({"metrics": [".."]}, "takes no such name: the metric '..'"),
        ({"metrics": [""]}, "takes no such name: the metric ''"),
        ({"metrics": ["\ud800"]}, r"takes no such name: the metric '\ud800'"),
        (
            {"outs": [f"reports/{n}" for n in range(200)]},
            "it has 200 outputs, whose list is longer",
        ),
    ],
)
def test_names_that_a_store_would_refuse_are_refused_before_there_is_a_run(
    names: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        mlflow_names.check(result(**names))
    assert message in str(caught.value)

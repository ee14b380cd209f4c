"""Settings of a network that contradict each other, or what only a line can have."""

from typing import Any

import pytest
from conftest import job

from pipeline.settings.errors import UserError

NET: dict[str, Any] = {"model__hidden": [32, 32]}
OWN: dict[str, Any] = {"model__module": "my_models.Net"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model__activation": "tanh"}, 'activation: found "tanh", but model.hidden is [], so there is no hidden layer; set it to "relu", or model.hidden to [32, 32], say'),
        ({"model__dropout": 0.2}, "dropout: found 0.2, but model.hidden is [], so there is no hidden layer; set it to 0.0, or model.hidden to [32, 32], say"),
        (OWN | NET, "hidden: found [32, 32], but model.module my_models.Net makes its own layers; set it to [], or model.module to null"),
        (OWN | {"model__bias": False}, "bias: found false, but model.module my_models.Net makes its own layers; set it to true, or model.module to null"),
        (OWN | {"model__dropout": 0.5}, "dropout: found 0.5, but model.module my_models.Net makes its own layers; set it to 0.0, or model.module to null"),
        (NET | {"train__optimizer": "exact"}, "optimizer: found exact, which is for linear models, but model.hidden is [32, 32]; set it to adam, sgd or lbfgs, or model.hidden to []"),
        (OWN | {"train__optimizer": "exact"}, "optimizer: found exact, which is for linear models, but model.module is my_models.Net; set it to adam, sgd or lbfgs, or model.module to null"),
        (NET | {"train__reduce_rows": True}, "reduce_rows: found true, which is for linear models, but model.hidden is [32, 32]; set it to auto, or model.hidden to []"),
        (NET | {"data__source": "data/raw/t.parquet", "data__keep_rows": False}, "keep_rows: found false, but model.hidden is [32, 32], and such a model is trained on the rows themselves: only a linear model can be trained on their sums; set it to true, or model.hidden to []"),
        (NET | {"data__source": "data/raw/t.csv", "data__clusters": "c"}, 'clusters: found "c", but model.hidden is [32, 32]: clustered errors are those of coefficients, which only a linear model has; set it to null, or model.hidden to []'),
        (OWN | {"data__source": "data/raw/t.csv", "data__clusters": "c"}, 'clusters: found "c", but model.module is my_models.Net: clustered errors are those of coefficients, which only a linear model has; set it to null, or model.module to null'),
        (NET | {"train__optimizer": "lbfgs", "model__dropout": 0.1}, "optimizer: found lbfgs with model.dropout 0.1; its line search must get one loss for the same weights, and dropout draws others each time: set it to adam or sgd, or model.dropout to 0.0"),
    ],
)  # fmt: skip
def test_contradictions(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refused:
        job(**changes)
    assert str(refused.value).split(": ", 1)[1].partition(".")[2] == message


@pytest.mark.parametrize(
    "changes",
    [
        NET | {"model__activation": "tanh", "model__dropout": 0.1, "train__optimizer": "adam"},
        NET | {"model__bias": False, "train__optimizer": "lbfgs"},
        OWN | {"train__batch_size": 2},
    ],
)
def test_what_goes_together(changes: dict[str, Any]) -> None:
    assert not job(**changes).model.is_linear


@pytest.mark.parametrize(
    "name",
    ["Net", "my_models", "my_models.py", "modules/my_models.py", "../x.Net", "my-models.Net", "a..B",
     "a.class", ".a.B", "/etc/passwd", "a.B ", "a\n.B", "größe.Netz"],
)  # fmt: skip
def test_a_module_is_named_by_file_and_class_and_by_no_path(name: str) -> None:
    with pytest.raises(UserError, match=r"must be FILE.CLASS, such as my_models.Net for the class"):
        job(model__module=name)


def test_widths_are_whole_numbers_from_one_on() -> None:
    for hidden in ([0], [1.5], [-3], 32, [70_000]):
        with pytest.raises(UserError, match=r"model\.hidden"):
            job(model__hidden=hidden)

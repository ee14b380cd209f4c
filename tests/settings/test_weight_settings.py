"""data.weights: the name of a column, or a mapping with its kind; and what contradicts itself."""

# ruff: noqa: E501 - messages read best one to a line

from typing import Any

import pytest
from conftest import job

from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

OWN: dict[str, Any] = {"data__source": "data/raw/t.csv", "evaluate__queries": []}


@pytest.mark.parametrize(
    ("written", "plain", "kind"),
    [
        ("w", "w", "precision"),
        ({"by": "w"}, "w", "precision"),
        ({"by": "w", "kind": "precision"}, "w", "precision"),
        ({"by": "w", "kind": "frequency"}, {"by": "w", "kind": "frequency"}, "frequency"),
    ],
)
def test_a_name_is_short_for_precisions(written: Any, plain: Any, kind: str) -> None:
    """Two ways to write one thing have one id."""
    params = job(**OWN, data__weights=written)
    assert params.data.weights is not None
    assert (params.data.weights.by, params.data.weights.kind) == ("w", kind)
    assert params_yaml.flatten(params)["data.weights"] == plain
    assert params_yaml.flatten(job())["data.weights"] is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data__weights": 3}, "data.weights: found 3; must be the name of a column, a mapping such as {by: count, kind: frequency}, or null"),
        ({"data__weights": {"kind": "frequency"}}, 'data.weights: found a mapping of kind; must be the name of a column, a mapping such as {by: count, kind: frequency}, or null'),
        ({"data__weights": {"by": "w", "kind": "freq"}}, 'data.weights.kind: found "freq"; must be precision or frequency; did you mean frequency?'),
        ({"data__weights": {"by": "w", "sort": 1}}, "data.weights.sort: no such key"),
        ({"data__weights": "y"}, 'data.weights: found "y", which is in data.targets; a column is either a weight or a target'),
        ({"data__weights": "x"}, 'data.weights: found "x", which is in data.features too; a column is a weight or a feature: take it out there, or make a copy of it under another name'),
        ({"data__weights": "c", "data__folds": {"by": "c"}}, 'data.weights: found "c", which is data.folds.by too; rows of equal weight do not belong together: name another column there'),
        ({"data__weights": "w", "data__source": "generate"}, 'data.weights: found "w", but data.source is generate, whose rows all count once; set it to null, or name a file in data.source'),
    ],
)  # fmt: skip
def test_contradictions(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        job(**OWN | changes)
    assert message in str(caught.value)

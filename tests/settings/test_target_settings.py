"""data.targets as a list or as a mapping: what is fitted as a logarithm, and ids of equal jobs."""

import pickle

import pytest
from conftest import job, job_text

from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.settings.keys.target_settings import Targets, logs, names
from pipeline.settings.params import Params

OWN = {"data__source": "data/raw/t.csv", "data__features": ["x"], "evaluate__queries": []}


def test_a_list_is_as_it_was_and_a_mapping_names_logarithms() -> None:
    plain = job(**OWN, data__targets=["price", "age"]).data.targets
    assert tuple(plain) == ("price", "age")
    assert not plain.logs
    scaled = job(**OWN, data__targets={"rent": "none", "price": "log"}).data.targets
    assert tuple(scaled) == ("price", "rent")
    assert scaled.logs == {"price"}


def test_the_order_of_a_mapping_changes_nothing() -> None:
    """To DVC two mappings are equal in any order, so the results must be."""
    one = job(**OWN, data__targets={"b": "log", "a": "none"})
    other = job(**OWN, data__targets={"a": "none", "b": "log"})
    assert params.flatten(one) == params.flatten(other)
    assert tuple(one.data.targets) == tuple(other.data.targets)


def test_what_ids_and_mlflow_have() -> None:
    assert params.flatten(job(**OWN))["data.targets"] == ("y",)
    flat = params.flatten(job(**OWN, data__targets={"y": "none"}))
    assert flat["data.targets"] == ("y",), "the same job as the list"
    recorded = params.flatten(job(**OWN, data__targets={"y": "log", "b": "none"}))["data.targets"]
    assert recorded == {"b": "none", "y": "log"}
    assert names(recorded) == ("b", "y")
    assert logs(recorded) == {"y"}
    assert names(["y"]) == ("y",)
    assert not logs(["y"])


def test_the_recorder_and_the_workers_get_the_same_targets() -> None:
    scaled = job(**OWN, data__targets={"y": "log"})
    sent = Params.model_validate_json(scaled.model_dump_json())
    assert sent.data.targets.logs == {"y"}
    assert pickle.loads(pickle.dumps(Targets(("a", "b"), ("b",)))).logs == {"b"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"y": "lug"}, 'data.targets.y: found "lug"; must be none or log; did you mean log?'),
        ({"y": 3}, "data.targets.y: found 3; must be none or log"),
        ({}, "data.targets: found a mapping of nothing; must have at least 1 item"),
        ([], "data.targets: found []; must have at least 1 item"),
        ("y", 'data.targets: found "y"; must be a list of names, such as [price], or a mapping of'),
        ({"x": "log"}, "data.targets: found 'x', which is in data.features too"),
    ],
)
def test_mistakes(written: object, told: str) -> None:
    with pytest.raises(UserError) as caught:
        params.parse(job_text(**OWN, data__targets=written))
    assert told in str(caught.value)


def test_a_generated_table_is_a_line_and_has_no_logarithm() -> None:
    with pytest.raises(
        UserError, match=r"data\.targets: found a logarithm, of y, but data\.source"
    ):
        params.parse(job_text(data__targets={"y": "log"}))

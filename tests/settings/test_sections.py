"""Values of params.yaml cannot change, and names are what they look like."""

import json

import pytest
from conftest import HIDDEN, ROOT, job

from pipeline.settings.errors import UserError
from pipeline.settings.params import parse

TEXT = (ROOT / "params.yaml").read_text()


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        job().train.lr = 1.0


@pytest.mark.parametrize("hidden", HIDDEN)
def test_names_that_are_not_what_they_look_like(hidden: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(TEXT.replace("features: [x]", f"features: [{json.dumps(f'x{hidden}')}]"))
    told, code = str(caught.value), f"U+{ord(hidden):04X}"
    assert told.startswith("params.yaml:")
    assert told.endswith(f"; must have no invisible character; it has {code}")


def test_names_of_any_language() -> None:
    names = ["größe", "面積", "مساحة", "a b", "$/m²", "🏠"]
    made = {"data__generate__x": None, "data__generate__rows": 9, "data__generate__weight": None}
    params_read = job(data__features=names, evaluate__queries=[], **made)
    assert params_read.data.features == tuple(names)


def test_a_set_is_no_list() -> None:
    """Its order would depend on the hash seed of the process."""
    with pytest.raises(UserError, match="data.targets: found .*; must be a list"):
        parse(TEXT.replace("targets: [y]", "targets: !!set {y, z}"))

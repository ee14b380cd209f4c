"""A file is read as the training table was, but for what the command line says."""

from pathlib import Path
from typing import Any

import abline_client
import pytest
from raw_column_models import write_model

from pipeline.answers import rows_to_answer
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import CategorySettings, DateSettings, NumberSettings
from pipeline.settings.keys.sections import Read


def test_the_dialect_of_the_training_table_is_the_default() -> None:
    trained = Read.usual().model_dump(mode="json") | {"separator": ";", "decimal": ","}
    assert rows_to_answer.dialect({}, []) == Read.usual()
    assert rows_to_answer.dialect({"data.read": trained}, []).decimal == ","
    older = {"separator": ";", "no longer": 1}
    assert rows_to_answer.dialect({"data.read": older}, []).separator == ";"
    changed = rows_to_answer.dialect(
        {"data.read": trained},
        ["separator=,", "decimal=.", "thousands='", "header=false", "missing=[x, '']", "comment=#"],
    )
    assert (changed.separator, changed.decimal, changed.thousands) == (",", ".", "'")
    assert (changed.header, changed.missing, changed.comment) == (False, ("x", ""), "#")
    assert rows_to_answer.dialect({"data.read": {"thousands": ","}}, ["thousands=null"]) == (
        Read.usual()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "sep=;",
            'found "sep=;"; must be a key of data.read and its value.* are separator, decima',
        ),
        ("decimal=x", '--read: decimal is "x"; .*'),
        ("header=maybe", '--read: header is "maybe"; .*'),
        ("missing=[", '--read: found "missing=."; .*'),
    ],
)
def test_a_dialect_that_there_is_not(change: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        rows_to_answer.dialect({}, [change])


def test_columns_have_the_settings_that_they_were_read_with(tmp_path: Path) -> None:
    model = abline_client.load(write_model(tmp_path))
    days = DateSettings.model_validate({"kind": "date", "parts": ["days", "weekday"]})
    number, category = NumberSettings(kind="number"), CategorySettings(kind="category")
    assert [*rows_to_answer.columns(model).items()] == [
        ("area", number),
        ("rooms", number),
        ("heating", category),
        ("district", category),
        ("sold", days),
    ]
    features: dict[str, Any] = {
        "area": {"kind": "number", "units": True},
        "rooms": "category",  # contradicts the inputs, which count
        "heating": {"kind": "category", "of a later release": 1},
        "sold": {"kind": "date", "format": "%d/%m/%Y", "parts": ["days", "weekday"]},
    }
    model.contract["source"]["params"]["data.features"] = features
    columns = rows_to_answer.columns(model)
    assert columns["area"] == NumberSettings(kind="number", units=True)
    assert columns["rooms"] == number
    assert columns["heating"] == columns["district"] == category
    assert columns["sold"] == days.model_copy(update={"format": "%d/%m/%Y"})

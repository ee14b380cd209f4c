"""A model with terms answers rows through every stage, and says which it cannot answer and why."""

import json
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pytest
from answered_tables import answered, read, write

pytestmark = pytest.mark.slow  # the stages of a job

ROW: dict[str, Any] = {"area": 50.0, "age": 30.0, "rooms": 3.0, "heating": "gas", "roof": "flat"}
ROW |= {"town": "west", "only": "one", "sold": "2018-01-05", "seen": "2018-01-05T12:00:00"}


def test_the_golden_vectors_and_the_interval_hold(term_models: Path) -> None:
    model = abline_client.load(term_models)
    assert model.conformance().ok
    y = model.predict([ROW])
    low, high = model.interval([ROW])
    assert low < y < high
    assert model.in_range([ROW]).tolist() == [True]


def test_the_client_refuses_what_has_no_logarithm(term_models: Path) -> None:
    model = abline_client.load(term_models)
    with pytest.raises(ValueError, match="area: must be above 0, because the model takes its log"):
        model.predict([ROW, ROW | {"area": -1.0}])
    with pytest.raises(ValueError, match="rooms: must be at least 0, because the model takes its"):
        model.predict({name: [value] for name, value in (ROW | {"rooms": -1.0}).items()})


def test_predict_says_why_a_row_has_no_answer(term_models: Path, tmp_path: Path) -> None:
    columns = {name: [value] * 5 for name, value in ROW.items()}
    columns["area"][1], columns["rooms"][2] = 0.0, -2.0
    columns["sold"][3] = "1960-01-05"
    columns["seen"][4] = "2018-01-05T03:00:00"
    rows, out = write(tmp_path / "rows.csv", **columns), tmp_path / "out.csv"
    counts = answered(term_models, rows, out)
    assert (counts.refused, counts.rows) == (3, 5)
    answers = read(out)
    assert answers.column("in_range").to_pylist() == [True, False, False, False, False]
    y = np.array([np.nan if v is None else v for v in answers.column("price").to_pylist()])
    assert np.isfinite(y).tolist() == [True, False, False, False, True]
    notes = "\n".join(counts.notes())
    contract = json.loads((term_models / "contract.json").read_text())
    logarithm, root = "no logarithm, such as", "no square root, such as"
    assert f'"area" is not above 0, so it has {logarithm} "0" (1, in line 3)' in notes
    assert f'"rooms" is below 0, so it has {root} "-2" (1, in line 4)' in notes
    terms = contract["source"]["params"]["data.terms"]
    named = f"one of the terms {', '.join(terms[:5])} and {len(terms) - 5} more"
    assert f"{named} has no value (1, in line 5)" in notes
    assert "too large" not in notes

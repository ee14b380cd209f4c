"""Models for the tests of clients, each exported once: fixtures, a plugin of tests/conftest.py."""

import shutil
from contextlib import chdir
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, WIDE, job, make
from term_plans import FEATURES, TERMS, rows_of_every_kind


def exported(place: Path, **changes: Any) -> Path:
    """Run the stages of a job in `place`, and return its models/."""
    for name in ("dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, place / name)
    for folder in ("pipeline", "modules"):
        shutil.copytree(ROOT / folder, place / folder)
    with chdir(place):
        make(job(**WIDE | changes))
    return place / "models"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return models/ of a job with three features, for clients."""
    return exported(tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return models/ of a job with all outputs that there are."""
    return exported(
        tmp_path_factory.mktemp("answering"),
        data__generate__noise=0.5,
        train__optimizer="exact",
        export__outputs=["prediction", "interval", "in_range"],
    )


@pytest.fixture(scope="session")
def table_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return models/ of a job with two targets, from a table with text, gaps and dates."""
    place = tmp_path_factory.mktemp("table")
    (place / "data/raw").mkdir(parents=True)
    rows = ["area,rooms,heating,district,sold,price,rent"]
    for row in range(120):
        rooms = "" if row % 11 == 3 else 1 + row % 5
        heating = ("gas", "Wärme 😀", '"oil, old"', "")[row % 4]
        district = "once" if row == 7 else ("north", "north side", "süd")[row % 3]
        day = date(1968, 1, 1) + timedelta(days=row * 19)
        price = 900 + 3 * row % 70 + 50 * (row % 4) + row * 19 / 8 + row * row % 7
        rows.append(
            f"{20 + row * 7 % 90},{rooms},{heating},{district},{day},{price},{price / 3 + row % 5}"
        )
    (place / "data/raw/flats.csv").write_text("\n".join([*rows, ""]))
    return exported(
        place,
        data__source="data/raw/flats.csv",
        data__features={
            "area": "number",
            "rooms": {"kind": "number", "missing": "mean", "indicator": True},
            "heating": {"kind": "category", "missing": "level"},
            "district": {"kind": "category", "min_count": 3, "unseen": "rare"},
            "sold": {"kind": "date", "parts": ["days", "month", "weekday"]},
        },
        data__targets=["price", "rent"],
        train__optimizer="exact",
        export__outputs=["prediction", "interval", "in_range"],
    )


@pytest.fixture(scope="session")
def term_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return models/ of a job with every kind of term."""
    place = tmp_path_factory.mktemp("terms")
    (place / "data/raw").mkdir(parents=True)
    rows = rows_of_every_kind()
    area = np.array(rows.column("area").to_pylist())
    rows = rows.append_column("price", pa.chunked_array([np.log(area) + np.arange(400) % 7]))
    pq.write_table(rows, place / "data/raw/flats.parquet")
    # Two levels that no row has together would leave no interval.
    without = {"area^10", "-seen[weekday]", *(term for term in TERMS if "town" in term)}
    return exported(
        place,
        data__source="data/raw/flats.parquet",
        data__features=FEATURES | {"town": {"kind": "category", "unseen": "reference"}},
        data__terms=[term for term in TERMS if term not in without],
        data__targets=["price"],
        data__test_fraction=0.2,
        train__optimizer="exact",
        export__outputs=["prediction", "interval", "in_range"],
    )

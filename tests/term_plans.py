"""Plans with terms, learnt from rows in memory."""

from typing import Any

import numpy as np
import pyarrow as pa
from conftest import job

from pipeline.columns import learn, learn_terms, statistics
from pipeline.columns.learn import Learnable
from pipeline.columns.plan import Plan


def learnt(
    rows: pa.Table, features: Any, terms: list[str], test: pa.Table | None = None, **changes: Any
) -> Plan:
    """Return the plan of features and terms. rows: training rows. test: rows held out."""
    changes = {"data__source": "data/raw/t.csv", "evaluate__queries": []} | changes
    asked = job(data__features=features, data__terms=terms, **changes).data
    declared = learn_terms.declared(asked, asked.columns)
    held_out = rows.slice(0, 0) if test is None else test
    first, second = (
        statistics.of_rows(asked.columns, each, None, declared.summed) for each in (rows, held_out)
    )
    count = statistics.count_in(lambda name: [rows.column(name)])
    return learn.plan(asked, Learnable(asked.columns, first, second, count, terms=declared))


FEATURES: dict[str, Any] = {
    "area": "number",
    "age": {"kind": "number", "missing": "mean", "indicator": True},
    "rooms": {"kind": "number", "missing": 3.0},
    "heating": "category",
    "roof": {"kind": "category", "unseen": "reference", "missing": "level"},
    "town": {"kind": "category", "min_count": 2},
    "only": "category",
    "sold": {"kind": "date", "parts": ["days", "month"]},
    "seen": {"kind": "date", "parts": ["hour", "weekday"]},
}
TERMS = [
    "log(area)",
    "-area",
    "only:area",
    "area:roof",
    "sqrt(rooms)",
    "-rooms",
    "heating:rooms",
    "age^2",
    "rooms^3",
    "area^10",
    "area:age",
    "heating:sold[month]",
    "-sold[month]",
    "-town",
    "-seen[weekday]",
    "town:seen[weekday]",
    "roof:town",
    "spline(age, 4)",
    "spline(seen[hour], 3)",
    "log(sold[days])",
]
"""Every kind of term, with every kind of column."""


def rows_of_every_kind(count: int = 400) -> pa.Table:
    """Return rows for FEATURES."""
    random = np.random.default_rng(5)
    age = random.uniform(0, 90, count).round(1)
    age[::9] = np.nan
    days = random.integers(17_000, 19_000, count).astype(np.int32)
    seconds = days.astype(np.int64) * 86_400 + random.integers(6 * 3600, 20 * 3600, count)
    texts = {
        "heating": random.choice(["gas", "oil", "größe"], count),
        "roof": random.choice(["flat", "steep", ""], count),
        "town": random.choice(["west", "b", "c:d[e]"], count),
        "only": np.full(count, "one"),
    }
    texts["town"][7] = "rare"
    columns = {
        "area": pa.array(random.lognormal(4, 1, count)),
        "age": pa.array(age, from_pandas=False),
        "rooms": pa.array(random.integers(1, 9, count).astype(np.float64)),
        **{name: pa.array(each.tolist(), pa.string()) for name, each in texts.items()},
        "sold": pa.array(days).cast(pa.date32()),
        "seen": pa.array(seconds).cast(pa.timestamp("s")),
    }
    return pa.table({name: pa.chunked_array([each]) for name, each in columns.items()})


def plan_of_every_term() -> Plan:
    """Return the plan of FEATURES and TERMS."""
    return learnt(rows_of_every_kind(), FEATURES, TERMS)

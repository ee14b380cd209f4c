"""Tables that tests describe: written into data/raw/, profiled, and taken to a learnt plan."""

from pathlib import Path
from typing import Any

import pyarrow as pa
from conftest import ROOT
from own_tables import put

from pipeline import generate
from pipeline.columns import plan
from pipeline.columns.plan import Plan
from pipeline.columns.queries import query_table
from pipeline.profiling import choosing, job, query, remarks
from pipeline.profiling.proposal import Proposal
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings import params

PARAMS = (ROOT / "params.yaml").read_text()


def described(
    content: str | bytes | pa.Table, target: str = "y", name: str = "t.csv", exclude: str = ""
) -> tuple[TableProfile, Proposal]:
    """Return the profile of a table in data/raw/, and the proposal."""
    path = put(content, name)
    return choosing.of(path, [target], [exclude] if exclude else [])


def features(content: str | bytes | pa.Table, target: str = "y", name: str = "t.csv") -> Any:
    """Return the settings of the features that are proposed, by name."""
    _, proposal = described(content, target, name)
    return {name: dict(choice.settings or {}) for name, choice in proposal.features.items()}


def left_out(content: str | bytes | pa.Table, target: str = "y", name: str = "t.csv") -> Any:
    """Return why columns are left out, by name."""
    _, proposal = described(content, target, name)
    return {choice.name: choice.why for choice in proposal.choices if choice.settings is None}


def subjects(content: str | bytes | pa.Table, target: str = "y") -> set[tuple[str | None, str]]:
    """Return the column and the subject of each remark."""
    profile, proposal = described(content, target)
    return {(remark.column, remark.subject) for remark in remarks.of(profile, proposal)}


def learnt(content: str | bytes | pa.Table, target: str = "y", name: str = "t.csv") -> Plan:
    """Describe a table, write params.yaml, and return the plan that `generate` learns.

    The query is checked, too.
    """
    profile, proposal = described(content, target, name)
    row = query.row(profile, proposal)
    text = job.written(PARAMS, f"data/raw/{name}", proposal, row)
    Path("params.yaml").write_text(text)
    settings = params.load()
    generate.main(settings)
    result = plan.read_plan()
    assert settings.evaluate.queries
    query_table(settings.evaluate.queries, result, settings.data.columns)
    return result


def lines(header: str, *columns: Any, rows: int = 60) -> str:
    """Return a CSV of which each column is a list that is repeated, or a function of the row."""
    text = [header]
    for row in range(rows):
        fields = [each(row) if callable(each) else each[row % len(each)] for each in columns]
        text.append(",".join(map(str, fields)))
    return "\n".join(text) + "\n"

"""Jobs on noisy lines."""

from conftest import job

from pipeline.settings.params import Params
from pipeline.tables.generated import generated_table
from pipeline.tables.table import Table

SIXTY_ROWS = {"data__generate__x": None, "data__generate__rows": 60, "data__generate__noise": 0.5}
"""Changes of the tutorial's job that give it sixty rows with noise."""


def held_out_job(**changes: object) -> tuple[Params, Table, Table]:
    """Return a job on a noisy line with few rows and many features, its rows and those held out."""
    params = job(
        data__features=[f"x{index}" for index in range(20)],
        data__generate__x=None,
        data__generate__rows=60,
        data__generate__weight=[[1.0]] + [[0.0]] * 19,
        data__generate__noise=2.0,
        train__reduction="mean",
        train__lr=0.02,
        train__epochs=3000,
        data__test_fraction=0.5,
        evaluate__queries=[],
        **changes,
    )
    rows = generated_table(params.data, params.seed)
    half = len(rows.values) // 2
    return params, Table(rows.names, rows.values[:half]), Table(rows.names, rows.values[half:])

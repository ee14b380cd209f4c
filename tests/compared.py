"""A repository with several results of a table with held-out rows, a commit each."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commits import Repository, lock_of, nothing
from conftest import job_text, make
from own_tables import put

from pipeline.results import dvc_cache
from pipeline.settings import files
from pipeline.settings import params as params_yaml
from pipeline.settings.params import Params

OUTPUTS = ("data", "models", "reports")


def flats(rows: int = 300, scatter: float = 20.0) -> str:
    """Return a CSV: the price depends on the area, little on the heating, not on the number."""
    random = np.random.default_rng(1)
    area = random.uniform(30, 150, rows).round(2)
    heating = random.choice(["gas", "oil"], rows)
    number = random.normal(size=rows).round(3)
    price = (3 * area + random.normal(0, scatter, rows)).round(2)
    lines = [",".join(map(str, row)) for row in zip(area, heating, number, price, strict=True)]
    return "\n".join(["area,heating,number,price", *lines, ""])


JOB: dict[str, Any] = {
    "data__source": "data/raw/flats.csv",
    "data__features": ["area"],
    "data__targets": ["price"],
    "data__test_fraction": 0.3,
    "train__optimizer": "exact",
    "evaluate__queries": [],
}


_written: dict[tuple[str, bytes], dict[Path, bytes]] = {}
"""Files of a result by its parameters and its table: most tests need the same two results."""


def _make(params: Params) -> None:
    """Compute a result in the folder, or write the files that were computed before."""
    key = (Path("params.yaml").read_text(), Path(params.data.source).read_bytes())
    for folder in ("models", "reports"):
        shutil.rmtree(folder, ignore_errors=True)
    if key not in _written:
        make(params)
        made = [path for folder in OUTPUTS for path in Path(folder).glob("*") if path.is_file()]
        _written[key] = {path: path.read_bytes() for path in made}
    for path, content in _written[key].items():
        files.write_bytes(path, content)


class Results:
    """Results in a repository: `made` computes one in the folder, `committed` in a commit."""

    def __init__(self, path: Path) -> None:
        _make(self._job())
        self.repository = Repository(path)

    def _job(self, **changes: Any) -> Params:
        Path("params.yaml").write_text(job_text(**JOB | changes))
        return params_yaml.load()

    def made(self, **changes: Any) -> str:
        """Compute the result of JOB with changes; return its dvc.lock, which is not written."""
        params = self._job(**changes)
        _make(params)
        self.repository.lock = lock_of(params)
        return self.repository.changed(nothing)

    def in_folder(self, **changes: Any) -> None:
        """Compute a result, and leave it in the folder as `dvc repro` does."""
        Path("dvc.lock").write_text(self.made(**changes))

    def committed(self, **changes: Any) -> str:
        """Compute a result in a commit with all its files; return the commit."""
        lock = self.made(**changes)
        return self.repository.commit(lock, *OUTPUTS)


@pytest.fixture(name="results")
def results_fixture(workspace: Path) -> Iterator[Results]:
    """Return an empty repository with a table."""
    dvc_cache.location.cache_clear()
    put(flats(), "flats.csv")
    yield Results(workspace)
    dvc_cache.location.cache_clear()

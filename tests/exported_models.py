"""Models for the tests of clients, each exported once: fixtures, a plugin of tests/conftest.py."""

import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, WIDE, job, make


def exported(place: Path, **changes: Any) -> Path:
    """Run the stages of a job in `place`, and return its models/."""
    for name in ("dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "pipeline", place / "pipeline")
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

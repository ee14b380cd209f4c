"""Lines that tell what became of each result."""

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from conftest import Clone

from pipeline.results import dvc_cache
from pipeline.results.place import Place
from pipeline.tracking import outcome
from pipeline.tracking.outcome import Outcome


def test_dvc_is_opened_once_however_many_results_lack_files(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = MagicMock()
    monkeypatch.setattr("dvc.repo.Repo", repo)
    dvc_cache.location.cache_clear()
    place = Place("0" * 32, "", commit="0" * 40)
    try:
        told = {outcome._fetch_advice([place]) for _ in range(3)}
        assert not dvc_cache.has("0" * 32)
    finally:
        dvc_cache.location.cache_clear()
    assert told == {"`dvc fetch --all-commits` may bring them"}
    repo.assert_called_once()


@pytest.mark.parametrize(
    ("has_remote", "cure"),
    [(False, "nothing to do"), (True, "`dvc fetch --all-commits` may bring them")],
)
def test_what_a_run_lacks_is_a_sentence_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, has_remote: bool, cure: str
) -> None:
    monkeypatch.setattr(dvc_cache, "location", lambda: (None, has_remote))
    one, two = (Place("0" * 32, "lock", commit=letter * 40) for letter in "ab")
    outcome = Outcome()
    outcome.missing = {"models/a": [one], "models/a, models/b": [one, two]}
    assert outcome.lines() == [
        f"commit aaaaaaa: its run lacks models/a, which is not in DVC's cache; {cure}",
        "commit aaaaaaa, commit bbbbbbb: their runs lack models/a, models/b, which are not in"
        f" DVC's cache; {cure}",
    ]


@pytest.mark.slow
def test_to_fetch_is_advised_only_where_there_is_a_remote(clone: Clone) -> None:
    checkout = clone("fresh")
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; nothing to do" in told
    assert "dvc fetch" not in told
    Path(checkout.path / "mlflow.db").unlink()
    checkout("dvc", "remote", "add", "--default", "shared", str(checkout.path / "remote"))
    told = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; `dvc fetch --all-commits` may bring them" in told

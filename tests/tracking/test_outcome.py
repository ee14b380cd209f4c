"""Lines that tell what became of each result."""

from pathlib import Path

import pytest
from conftest import Clone

from pipeline.results import dvc_cache, gathering, git
from pipeline.results.place import Place
from pipeline.tracking.outcome import Outcome

ONE, TWO = (Place("0" * 32, "lock", commit=letter * 40) for letter in "ab")


@pytest.mark.parametrize(
    ("missing", "text", "them"),
    [
        ({"models/a": [ONE]}, "commit aaaaaaa: its run lacks models/a, which is", "it"),
        (
            {"models/a": [ONE, TWO], "models/b": [ONE, TWO]},
            "commit aaaaaaa, commit bbbbbbb: their runs lack models/a, models/b, which are",
            "them",
        ),
        (
            {"models/a": [ONE], "models/b": [ONE, TWO]},
            "commit aaaaaaa, commit bbbbbbb: their runs lack some of models/a, models/b, which are",
            "them",
        ),
    ],
)
def test_what_runs_lack_is_one_line_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, missing: dict[str, list[Place]], text: str, them: str
) -> None:
    """Old commits lack many different sets of outputs: there was a line for each set."""
    outcome = Outcome()
    outcome.missing = missing
    for has_remote, advice in (
        (
            False,
            f"there is no remote to fetch {them} from, and no harm: `git checkout` of such a commit"
            f" and `dvc repro` make {them} again",
        ),
        (True, "`dvc fetch --all-commits` may bring them"),
    ):
        monkeypatch.setattr(dvc_cache, "location", lambda has_remote=has_remote: (None, has_remote))
        assert outcome.lines() == [f"{text} not in DVC's cache; {advice}"]


def test_a_strangers_name_of_an_experiment_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dvc_cache, "location", lambda: (None, True))
    monkeypatch.setattr(git, "ask", lambda *_: "origin")
    theirs = [Place("0" * 32, commit="a" * 40, experiment=name) for name in ("quick", "$(evil)")]
    assert gathering.fetch_advice(theirs) == (
        "`dvc exp pull origin quick '$(evil)'` may bring them"
    )


@pytest.mark.slow
def test_to_fetch_is_advised_only_where_there_is_a_remote(clone: Clone) -> None:
    checkout = clone("fresh")
    printed = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; there is no remote to fetch them from" in printed
    assert "dvc fetch" not in printed
    Path(checkout.path / "mlflow.db").unlink()
    checkout("dvc", "remote", "add", "--default", "shared", str(checkout.path / "remote"))
    printed = checkout("python", "-m", "pipeline.track", "--all")
    assert "not in DVC's cache; `dvc fetch --all-commits` may bring them" in printed

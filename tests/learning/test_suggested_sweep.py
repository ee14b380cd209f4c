"""A sweep whose configurations Optuna suggests."""

from collections.abc import Mapping
from typing import Any

import pytest
from conftest import job_text
from swept import FEATURES, TARGETS, NoRows, summary

from pipeline.learning import sweep_trainer, trained_sweep
from pipeline.learning.outcomes import Outcome, best_first
from pipeline.learning.suggested_sweep import SuggestedSweep
from pipeline.learning.suggestions import BATCH
from pipeline.learning.sweep_trainer import SweepTrainer
from pipeline.settings import configurations
from pipeline.settings.errors import UserError

METRIC = "cv.rmse.mean"
RANGES = ["train.lr=log:1e-3..10", "train.momentum=lin:0..0.9", "train.epochs=log:5..40"]


@pytest.fixture(autouse=True)
def on_the_noisy_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def trainer(jobs: Any, metric: str) -> SweepTrainer:
        sweep = SweepTrainer(summary(), NoRows(), NoRows())
        sweep.check(jobs, metric)
        return sweep

    monkeypatch.setattr(trained_sweep, "trainer", trainer)


def sweep(*ranges: str, count: int = 3 * BATCH, **changes: Any) -> SuggestedSweep:
    usual: dict[str, Any] = {}
    usual |= {"data__features": [*FEATURES], "data__targets": [*TARGETS], "evaluate__queries": []}
    usual |= {"data__source": "data/raw/a.csv", "train__reduction": "mean", **changes}
    return SuggestedSweep(configurations.to_suggest(job_text(**usual), ranges, count), METRIC)


def outcomes(swept: SuggestedSweep, done: Mapping[int, Outcome] | None = None) -> list[Outcome]:
    return [each for chunk in swept.chunks(done or {}) for each in chunk]


def test_what_is_suggested_does_not_depend_on_how_a_batch_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = sorted(outcomes(sweep(*RANGES)), key=lambda each: each.number)
    monkeypatch.setattr(sweep_trainer, "AT_ONCE", 1)
    one_by_one = outcomes(sweep(*RANGES))
    assert len(at_once) == 3 * BATCH
    assert [each.settings for each in at_once] == [each.settings for each in one_by_one]
    for each, other in zip(at_once, one_by_one, strict=True):
        assert each.figures == pytest.approx(other.figures, rel=1e-5)
        assert each.note == other.note


def test_a_sweep_that_is_resumed_goes_on_as_if_it_had_not_been_stopped() -> None:
    whole = outcomes(sweep(*RANGES, "train.optimizer=sgd,adam"))
    for kept in (3, BATCH, 2 * BATCH - 5):
        done = {each.number: each for each in whole[:kept]}
        rest = outcomes(sweep(*RANGES, "train.optimizer=sgd,adam"), done)
        assert (len(rest) < len(whole)) == (kept > 3)  # a chunk that is cut off is done again
        every = done | {each.number: each for each in rest}
        assert every == {each.number: each for each in whole}


def test_the_later_ones_are_better_and_the_seed_decides() -> None:
    swept = outcomes(sweep(*RANGES, count=4 * BATCH))
    assert best_first(swept, METRIC)[0].number > BATCH
    lost = [METRIC not in each.figures for each in swept]
    assert sum(lost[:BATCH]) > sum(lost[-BATCH:])
    other = outcomes(sweep(*RANGES, count=1, seed=1))
    assert other[0].settings != swept[0].settings


def test_values_are_of_their_ranges_and_lists_keep_their_types() -> None:
    given = ["model.bias=true,false", "train.weight_decay=0,1", "train.epochs=lin:2..4"]
    swept = outcomes(sweep(*given))
    settings = [each.settings for each in swept]
    assert {type(each["model.bias"]) for each in settings} == {bool}
    assert {each["train.weight_decay"] for each in settings} == {0.0, 1.0}
    assert {each["train.epochs"] for each in settings} == {2, 3, 4}
    assert len({repr(each) for each in settings}) == len(swept) <= 12
    assert sorted(each.number for each in swept) == [*range(1, len(swept) + 1)]


def test_contradictions_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    swept = outcomes(sweep("train.optimizer=sgd,adam", "train.momentum=lin:0..0.9"))
    left_out = 3 * BATCH - len(swept)
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith(f"left out: {left_out} × train.momentum: found 0.")
    assert others == []


def test_what_has_no_such_metric_is_refused_before_the_first_batch() -> None:
    swept = sweep("train.batch_size=lin:5..10", "train.lr=0.1,0.2")
    with pytest.raises(UserError, match="train.batch_size is 5, .*--metric test.rmse"):
        swept.chunks({})


def test_the_run_says_the_sampler_the_seed_and_the_batch() -> None:
    swept = sweep(*RANGES, count=5)
    assert swept.command == f"{' '.join(RANGES)} --optuna 5"
    words = swept.description
    assert words.startswith("suggested by Optuna ")
    assert words.endswith(f": TPESampler, seed 0, in batches of {BATCH}")
    assert words in swept.depends_on

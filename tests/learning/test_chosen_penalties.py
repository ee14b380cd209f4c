"""The folds choose the penalty, without the test rows, and say what they chose."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import job

from pipeline.columns import in_memory
from pipeline.columns.summary import Summary, each_part_in_turn
from pipeline.exact import cross_validation, penalty_path
from pipeline.exact.penalties import Penalty
from pipeline.exact.solutions import Certificate, Solution
from pipeline.learning import chosen_penalties, exact_solution
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

NAMES = [f"x{place}" for place in range(6)]


def rows(count: int, seed: int, noise: float = 3.0) -> Table:
    """Return rows of which the first column counts, and the others do not."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, len(NAMES)))
    y = x[:, :1] + noise * random.normal(size=(count, 1))
    return Table((*NAMES, "y"), np.hstack([x, y]))


def asked(**changes: object) -> Params:
    usual: dict[str, object] = {
        "data__features": NAMES,
        "data__generate__x": None,
        "data__generate__rows": 9,
        "data__generate__weight": None,
        "evaluate__queries": [],
        "train__optimizer": "exact",
    }
    return job(**usual | {f"train__{name}": value for name, value in changes.items()})


def summed(test_seed: int = 1) -> Summary:
    training, test = rows(60, 0), rows(20, test_seed)
    whole = in_memory.summary_of(training, test, ("y",))
    parts = [Table(training.names, training.values[place::5]) for place in range(5)]
    sums = tuple(in_memory.summary_of(part, None, ("y",)).train for part in parts)
    return replace(whole, parts=sums, fold_places=each_part_in_turn(5))


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_the_folds_choose_and_say_what(penalty: str, capsys: pytest.CaptureFixture[str]) -> None:
    best = chosen_penalties.choose(asked(**{penalty: "cv"}), summed())
    (path,) = best.paths
    told = capsys.readouterr().out
    value = path.values[path.chosen]
    assert told.startswith(f"train.{penalty}: cv chose {value:.6g} for y: mean squared error ")
    assert best.penalties == (Penalty(**{penalty: float(value)}),)
    assert path.error[path.chosen] == path.error.min()
    other = chosen_penalties.choose(
        asked(**{penalty: "cv", "choose": "one_standard_error"}), summed()
    )
    assert other.paths[0].chosen == path.one_standard_error <= path.best
    again = chosen_penalties.choose(asked(**{penalty: "cv"}), summed(test_seed=2))
    assert again.penalties == best.penalties, "test rows have no part in the choice"


def test_the_folds_choose_both_penalties(capsys: pytest.CaptureFixture[str]) -> None:
    params, summary = asked(l1="cv", l2="cv"), summed()
    both = chosen_penalties.choose(params, summary)
    (path,) = both.paths
    assert capsys.readouterr().out.startswith("train.l1 and train.l2: cv chose ")
    assert both.penalties == (Penalty(path.l1, path.l2),)
    assert len(path.values) + len(path.other_pairs) == 1000
    assert path.error[path.chosen] <= min(pair.error for pair in path.other_pairs)
    # The same as if this l2 had been asked for alone.
    (single,) = chosen_penalties.choose(asked(l1="cv", l2=1e-2), summary).paths
    errors = {(pair.l1, pair.l2): pair.error for pair in path.other_pairs}
    errors |= {(l1, path.l2): e for l1, e in zip(path.values, path.error, strict=True)}
    assert single.error.tolist() == [errors[l1, 1e-2] for l1 in single.values.tolist()]


def test_numbers_are_taken_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = chosen_penalties.choose(asked(l1=0.1, l2=2), summed())
    assert chosen.penalties == (Penalty(0.1, 2.0),)
    assert chosen.paths == ()
    assert chosen_penalties.read(asked(l1=0.1, l2=2)).penalties == chosen.penalties
    assert capsys.readouterr().out == ""


def test_dependent_columns_share_the_weight_unless_they_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied = rows(60, 0)
    copied.values[:, 1] = copied.values[:, 0]
    summary = in_memory.summary_of(copied, None, ("y",))
    fit = exact_solution.penalized_solution(asked(l2=0.5), summary, [Penalty(l2=0.5)])
    assert fit.weight[0, 0] == fit.weight[0, 1] != 0
    assert capsys.readouterr().err == ""
    with pytest.raises(UserError) as caught:
        exact_solution.penalized_solution(
            asked(l2=0.5, dependent="refuse"), summary, [Penalty(l2=0.5)]
        )
    assert str(caught.value) == (
        "train.optimizer: exact without its penalty has more than one solution, because columns say"
        " the same as others:\n  x1 is a copy of x0\nname data.features without them, or set"
        " train.dependent to drop, which lets the penalty share the weight among them"
    )


@pytest.mark.parametrize("function", ["cross_validate", "weights_along"])
def test_solutions_that_are_not_proven_are_told_wherever_they_are(
    function: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the folds alone, or on all rows alone."""
    where = cross_validation if function == "cross_validate" else penalty_path
    solve = where.solve

    def unproven(*arguments: Any) -> list[Solution]:
        solutions = solve(*arguments)
        last = replace(solutions[-1], certificate=Certificate(proven=False, gap=2e-9))
        return [*solutions[:-1], last]

    chosen_penalties.choose(asked(l1="cv"), summed())
    assert "proven" not in capsys.readouterr().out
    monkeypatch.setattr(where, "solve", unproven)
    chosen_penalties.choose(asked(l1="cv"), summed())
    assert "at most 2e-09 of the target's variation" in capsys.readouterr().out

"""A training is the same with rows in memory or read from a file, in pieces or at once."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_modules import asked, dropping, plain, rows, state, use
from raw_plans import a_plan, number

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.learning import batches, training, training_rows, windows
from pipeline.learning.checkpoint import Checkpoint
from pipeline.settings.params import Params
from pipeline.tables import table
from pipeline.tables.table import Table

PLAN = a_plan(number("a"), number("b"))
COUNT = 150
Trained = tuple[dict[str, bytes], list[tuple[float, float | None]]]


def put(path: str, values: Table) -> TableFile:
    table.write(Path(path), values)
    return TableFile(Path(path), PLAN, ("y",))


def trained(params: Params, in_file: bool, **more: Any) -> Trained:
    """Train on rows in memory or in files."""
    tables = rows(COUNT), rows(40, 1)
    summary = in_memory.summary_of(*tables, ("y",))
    if in_file:
        files = put("train.parquet", tables[0]), put("test.parquet", tables[1])
        module, history = training.train(params, *files, summary=summary, **more)
    else:
        module, history = training.train(params, *tables, summary=summary, **more)
    return state(module), history


@pytest.fixture
def nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let windows and pieces have twenty rows, and no table be held in memory."""
    monkeypatch.setattr(table, "ROWS_PER_ROW_GROUP", 8)
    for module in (batches, windows):
        monkeypatch.setattr(module, "PIECE_BYTES", 20 * 3 * 8)
    monkeypatch.setattr(training_rows, "MEMORY_BYTES", 0)
    monkeypatch.setattr(training_rows, "HELD_OUT_BYTES", 0)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("batch_size", [None, 7, 64])
def test_a_small_file_is_trained_on_as_a_table_to_the_last_bit(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, batch_size: int | None, standardize: bool
) -> None:
    use(monkeypatch, dropping)
    params = asked(
        train__batch_size=batch_size,
        model__standardize=standardize,
        train__patience=5,
        data__test_fraction=0.2,
    )
    assert trained(params, True) == trained(params, False)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize(("reduction", "standardize"), [("sum", False), ("mean", True)])
def test_all_rows_in_pieces_are_all_rows_at_once(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    optimizer: str,
    reduction: str,
    standardize: bool,
) -> None:
    use(monkeypatch, plain)
    params = asked(
        train__optimizer=optimizer,
        train__lr=1e-3,
        train__reduction=reduction,
        train__batch_size=None,
        train__dtype="float64",
        train__epochs=2,
        model__standardize=standardize,
        model__dtype="float64",
        data__test_fraction=0.2,
    )
    whole_state, whole = trained(params, False)
    for module in (batches, windows):
        monkeypatch.setattr(module, "PIECE_BYTES", 20 * 3 * 8)
    for in_file in (False, True):
        if in_file:
            monkeypatch.setattr(training_rows, "MEMORY_BYTES", 0)
            monkeypatch.setattr(training_rows, "HELD_OUT_BYTES", 0)
        pieces_state, pieces = trained(params, in_file)
        np.testing.assert_allclose(pieces, whole, rtol=1e-9)  # type: ignore[arg-type]
        for name, value in pieces_state.items():
            numbers, expected = np.frombuffer(value), np.frombuffer(whole_state[name])
            np.testing.assert_allclose(numbers, expected, rtol=1e-6, atol=1e-9)


def test_batches_from_windows_learn_the_same(
    workspace: Path, nothing_in_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, plain)
    params = asked(train__batch_size=7, train__epochs=30, data__test_fraction=0.2)
    (_, in_file), (_, in_memory_) = trained(params, True), trained(params, False)
    assert in_file[0][1] == pytest.approx(in_memory_[0][1]), "the same start"
    assert in_file[-1][0] < in_file[0][0] / 10
    assert in_file[-1][0] == pytest.approx(in_memory_[-1][0], rel=0.5)
    assert trained(params, True) == trained(params, True)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_killed_training_on_a_file_resumes_with_the_same_bytes(
    workspace: Path,
    nothing_in_memory: None,
    monkeypatch: pytest.MonkeyPatch,
    batch_size: int | None,
) -> None:
    use(monkeypatch, dropping)
    params = asked(train__batch_size=batch_size, data__test_fraction=0.2, train__patience=20)
    expected = trained(params, True)
    checkpoint = Checkpoint("a" * 64, 0.0)

    def kill(epoch: int, *losses: object) -> None:
        checkpoint.times.append(0)
        if epoch == 7:
            raise KilledError

    with pytest.raises(KilledError):
        trained(params, True, on_epoch=kill, checkpoint=checkpoint)
    resumed = Checkpoint("a" * 64, None)
    assert resumed.state is not None
    assert trained(params, True, checkpoint=resumed) == expected


def test_other_sizes_of_memory_leave_the_rows_alone(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held-out rows that are read again change nothing, not even the losses."""
    use(monkeypatch, dropping)
    params = asked(train__batch_size=7, data__test_fraction=0.2)
    expected = trained(params, True)
    monkeypatch.setattr(training_rows, "HELD_OUT_BYTES", 0)
    assert trained(params, True) == expected

"""Rows of a file are trained on in windows: every row once an epoch, in an order of the seed."""

from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import job
from raw_plans import a_plan, number

from pipeline.columns.blocks import TableFile
from pipeline.learning import batches, tensors, windows
from pipeline.learning.batches import InMemory
from pipeline.learning.tensors import Pair
from pipeline.learning.windows import InFile
from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream

PLAN = a_plan(number("a"), number("b"))
PARAMS = job(
    data__features=["a", "b"],
    data__generate__x=None,
    data__generate__rows=2,
    data__generate__weight=[[1.0]] * 2,
    evaluate__queries=[],
)
ROW_BYTES = 3 * 4  # two features and a target in float32


def put(rows: int, rows_per_group: int) -> TableFile:
    """Write t.parquet, in which y is the number of the row and b is −y."""
    numbers = pa.array(range(rows), pa.float64())
    columns = {"a": [0.5] * rows, "b": [-float(row) for row in range(rows)], "y": numbers}
    pq.write_table(pa.table(columns), "t.parquet", row_group_size=rows_per_group)
    return TableFile(Path("t.parquet"), PLAN, ("y",))


def rows_of(file: TableFile) -> InFile:
    prepare = partial(tensors.of_table, PARAMS)
    return InFile(file, prepare, torch.float32, torch.device("cpu"))


def whole_of(file: TableFile) -> Pair:
    """Return all rows at once."""
    (rows,) = file.blocks()
    return tensors.of_table(PARAMS, rows)


@pytest.fixture
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a window have twenty rows."""
    for module in (batches, windows):
        monkeypatch.setattr(module, "PIECE_BYTES", 20 * ROW_BYTES)


@pytest.mark.parametrize("size", [1, 3, 16, 20])
@pytest.mark.parametrize("rows_per_group", [1, 6, 7, 20, 50, 97])
def test_an_epoch_has_every_row_once_in_batches(
    workspace: Path, small_windows: None, size: int, rows_per_group: int
) -> None:
    rows = rows_of(put(97, rows_per_group))
    shuffle = stream(0, "shuffle")
    orders = []
    for _ in range(3):
        batch_sizes, order = [], []
        for x, y in rows.batches(size, shuffle):
            batch_sizes.append(len(x))
            order += y[:, 0].tolist()
            assert torch.equal(x[:, 1:], -y)
            assert x.stride() == (2, 1)
            assert x.data_ptr() % 64 == y.data_ptr() % 64 == 0
        assert batch_sizes == [size] * (97 // size) + [97 % size] * (97 % size > 0)
        assert sorted(order) == list(range(97))
        orders.append(order)
    assert orders[0] != orders[1] != orders[2]
    again = [y[:, 0].tolist() for _, y in rows.batches(size, stream(0, "shuffle"))]
    assert [row for batch in again for row in batch] == orders[0]


def test_rows_come_from_all_row_groups_of_a_window(workspace: Path, small_windows: None) -> None:
    rows = rows_of(put(100, 5))
    window = [y[:, 0] for _, y in rows.batches(20, stream(0, "shuffle"))][2]
    groups = (window // 5).int().tolist()
    assert len(set(groups)) == 4, "a window has twenty rows"
    assert groups != sorted(groups), "its rows are shuffled"
    assert max(groups) - min(groups) > 4, "its row groups are not neighbours"


@pytest.mark.parametrize("size", [1, 3, 16, 20])
@pytest.mark.parametrize("in_file", [True, False])
def test_a_window_is_left_alone_while_the_next_is_made(
    workspace: Path, small_windows: None, size: int, in_file: bool
) -> None:
    """A thread makes the next window while the module works with this one."""
    file = put(97, 7)
    if in_file:
        shuffled = rows_of(file)._shuffled(size, 20, stream(0, "shuffle"))
    else:
        memory = InMemory(*whole_of(file))
        shuffled = memory._shuffled(torch.randperm(97), 20 // size * size)
    window = copy = torch.zeros(0)
    for x, y in shuffled:
        assert torch.equal(window, copy)
        window, copy = y, y.clone()
        assert torch.equal(x[:, 1:], -y)


def test_pieces_are_all_rows_in_order(workspace: Path, small_windows: None) -> None:
    file = put(97, 30)
    pieces = list(rows_of(file).pieces())
    assert max(len(x) for x, _ in pieces) <= 20
    x, y = (torch.cat(parts) for parts in zip(*pieces, strict=True))
    whole_x, whole_y = whole_of(file)
    assert torch.equal(x, whole_x)
    assert torch.equal(y, whole_y)


def test_a_batch_larger_than_a_window_is_refused(workspace: Path, small_windows: None) -> None:
    rows = rows_of(put(97, 30))
    with pytest.raises(
        UserError, match=r"train.batch_size: found 21; .* at most 20 rows of 12 bytes .* null"
    ):
        next(rows.batches(21, stream(0, "shuffle")))


def test_a_file_that_is_cut_between_epochs_is_refused(workspace: Path, small_windows: None) -> None:
    rows = rows_of(put(97, 30))
    list(rows.batches(8, stream(0, "shuffle")))
    content = Path("t.parquet").read_bytes()
    Path("t.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"t.parquet: not a readable Parquet file .*; `dvc"):
        list(rows.batches(8, stream(0, "shuffle")))
    Path("t.parquet").unlink()
    with pytest.raises(UserError, match=r"t.parquet: there is no such file; `dvc repro` makes it"):
        list(rows.batches(8, stream(0, "shuffle")))


def test_many_row_groups_of_one_row(workspace: Path) -> None:
    rows = rows_of(put(3_000, 1))
    order = [row for _, y in rows.batches(700, stream(0, "shuffle")) for row in y[:, 0].tolist()]
    assert sorted(order) == list(range(3_000))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
@pytest.mark.parametrize("size", [3, 20])
def test_a_gpu_gets_the_batches_of_a_cpu(workspace: Path, small_windows: None, size: int) -> None:
    file = put(97, 7)
    prepare = partial(tensors.of_table, PARAMS)
    on_gpu = InFile(file, prepare, torch.float32, torch.device("cuda"))
    shuffles = stream(0, "shuffle"), stream(0, "shuffle")
    for _ in range(3):
        pairs = zip(
            rows_of(file).batches(size, shuffles[0]), on_gpu.batches(size, shuffles[1]), strict=True
        )
        for (x, y), (gpu_x, gpu_y) in pairs:
            assert gpu_x.device.type == "cuda"
            assert torch.equal(gpu_x.cpu(), x)
            assert torch.equal(gpu_y.cpu(), y)

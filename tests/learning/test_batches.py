"""Rows in memory are trained on in the order of one permutation of all of them."""

import tracemalloc

import pytest
import torch

from pipeline.learning import batches
from pipeline.learning.batches import InMemory
from pipeline.settings.seeds import stream


def rows(count: int, features: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(count, features), torch.arange(count, dtype=torch.float32)[:, None]


@pytest.mark.parametrize("window_rows", [10**6, 16, 5, 1])
@pytest.mark.parametrize("size", [1, 4, 7, 16, 100, 2**62])
def test_batches_are_the_rows_of_a_permutation(
    monkeypatch: pytest.MonkeyPatch, size: int, window_rows: int
) -> None:
    monkeypatch.setattr(batches, "PIECE_BYTES", window_rows * 4 * 4)
    x, y = rows(50)
    held, shuffle, expected = InMemory(x, y), stream(0, "shuffle"), stream(0, "shuffle")
    for _ in range(2):
        order = torch.from_numpy(expected.permutation(50))
        chosen_rows = torch.split(order, min(size, 50))
        for (batch_x, batch_y), chosen in zip(
            held.batches(size, shuffle), chosen_rows, strict=True
        ):
            # Equal to the last bit and as aligned: products have the same bits, then.
            assert torch.equal(batch_x, x[chosen])
            assert torch.equal(batch_y, y[chosen])
            assert batch_x.data_ptr() % 64 == batch_y.data_ptr() % 64 == 0
            assert batch_x.is_contiguous()


def test_pieces_are_all_rows_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = rows(50)
    assert InMemory(x, y).in_one_piece
    ((only_x, _),) = InMemory(x, y).pieces()
    assert only_x is x
    monkeypatch.setattr(batches, "PIECE_BYTES", 20 * 4 * 4)
    held = InMemory(x, y)
    assert not held.in_one_piece
    pieces = list(held.pieces())
    assert [len(piece) for piece, _ in pieces] == [20, 20, 10]
    assert torch.equal(torch.cat([piece for piece, _ in pieces]), x)


def test_the_order_of_a_narrow_table_takes_less_memory_than_its_rows() -> None:
    x, y = rows(200_000, features=1)
    held = InMemory(x, y)
    tracemalloc.start()  # sees what NumPy holds, not what torch does
    try:
        next(held.batches(256, stream(0, "shuffle")))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 0.75 * (x.nbytes + y.nbytes)

"""Sums of pieces that have not changed are read, not made again; the result is the same."""

from pathlib import Path
from typing import Any

import pytest
from in_place import PARTS, contents, mixed, mixed_job, numbers, put_parts
from own_tables import own_job, put

from pipeline.compute import draws, in_place, source_files
from pipeline.compute.summarize import Fragment, Partial, summarize
from pipeline.exact.products import Product
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables import raw_parts

SUMS = files.STATE_FOLDER / "sums"


@pytest.fixture
def summed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the files of which pieces are summed up, in small pieces and with small samples."""
    monkeypatch.setattr(raw_parts, "PIECE_ROWS", 500)
    monkeypatch.setitem(draws.SAMPLED_ROWS, "train", 300)
    monkeypatch.setattr(draws, "FEWEST_SAMPLED_ROWS", 30)
    names: list[str] = []

    def noted(fragment: Fragment, row_groups: range, layout: Any, product: Product) -> Partial:
        assert fragment.file is not None
        names.append(fragment.file.name)
        return summarize(fragment, row_groups, layout, product)

    monkeypatch.setattr(in_place, "summarize", noted)
    return names


def fresh(params: Params) -> dict[str, Any]:
    """Return what is written if no sums are kept."""
    for path in SUMS.iterdir():
        path.unlink()
    return contents(params, keep_rows=False)


@pytest.mark.parametrize("kind", ["numbers", "all kinds"])
def test_appended_parts_cost_only_themselves(summed: list[str], kind: str) -> None:
    whole = numbers(4_000) if kind == "numbers" else mixed(4_000)
    params = own_job(PARTS, fraction=0.2) if kind == "numbers" else mixed_job()
    put_parts(whole.slice(0, 2_600), 1_300, row_group_size=400)
    contents(params, keep_rows=False)
    assert set(summed) == {"0.parquet", "1.parquet"}
    summed.clear()
    contents(params, keep_rows=False)
    assert summed == []
    put_parts(whole, 1_300, 2_600, row_group_size=400)
    grown = contents(params, keep_rows=False)
    if kind == "numbers":  # of the others the mean is another, and is filled in everywhere
        assert set(summed) == {"2.parquet"}
    assert grown == fresh(params)
    assert grown == contents(params, keep_rows=True)


def test_a_table_with_fewer_rows_needs_a_larger_share_of_each_piece(summed: list[str]) -> None:
    whole = numbers(4_000)
    put_parts(whole, 1_300, 2_600)
    contents(own_job(PARTS), keep_rows=False)
    Path(PARTS, "2.parquet").unlink()
    smaller = contents(own_job(PARTS), keep_rows=False)
    assert smaller == fresh(own_job(PARTS))


def test_what_changes_the_sums_makes_them_anew(summed: list[str]) -> None:
    put_parts(numbers(2_000), 1_000)
    contents(own_job(PARTS, fraction=0.2), keep_rows=False)
    for changed in (
        own_job(PARTS, fraction=0.3),
        own_job(PARTS, fraction=0.2, seed=1),
        own_job(PARTS, fraction=0.2, features=("z", "x")),
    ):
        summed.clear()
        made = contents(changed, keep_rows=False)
        assert set(summed) == {"0.parquet", "1.parquet"}
        assert made == fresh(changed)
    summed.clear()
    put_parts(numbers(2_000, seed=1), 1_000)
    contents(own_job(PARTS, fraction=0.2), keep_rows=False)
    assert set(summed) == {"0.parquet", "1.parquet"}


@pytest.mark.parametrize("tag", ["", "2026-01-01 00:00:00+00:00"])
def test_files_that_only_look_the_same_have_sums_of_their_own(
    summed: list[str], monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    """Some file systems have no etag: there the time of the last change tells files apart."""
    monkeypatch.setattr(source_files, "etag_of", lambda _: tag)
    rows = numbers(2_000)
    put_parts(rows, 1_000)
    contents(own_job(PARTS), keep_rows=False)
    first, second = Path(PARTS, "0.parquet"), Path(PARTS, "1.parquet")
    first.unlink()
    if not tag:
        second.rename(first)
    put(rows.slice(1_000), "parts/2.parquet")
    changed = contents(own_job(PARTS), keep_rows=False)
    assert changed == contents(own_job(PARTS), keep_rows=True)


def test_damaged_sums_are_made_again(summed: list[str]) -> None:
    put_parts(numbers(2_000), 1_000)
    made = contents(own_job(PARTS), keep_rows=False)
    damaged, cut = sorted(SUMS.iterdir())[:2]
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    cut.write_bytes(cut.read_bytes()[:100])
    summed.clear()
    assert contents(own_job(PARTS), keep_rows=False) == made
    assert len(summed) == 2
    summed.clear()
    assert contents(own_job(PARTS), keep_rows=False) == made
    assert summed == []


def test_old_sums_are_removed(summed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.compute import kept_sums

    put_parts(numbers(2_000), 1_000)
    contents(own_job(PARTS), keep_rows=False)
    before = set(SUMS.iterdir())
    monkeypatch.setattr(kept_sums, "BYTES_KEPT", 0)
    contents(own_job(PARTS, seed=1), keep_rows=False)
    assert not before & set(SUMS.iterdir())

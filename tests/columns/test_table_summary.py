"""data/summary.json is read as it was written, and a damaged one is refused by name."""

import json
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pytest

from pipeline.columns import summary
from pipeline.columns.part import Part
from pipeline.columns.summary import FoldPlaces, SampleRows, Summary, each_part_in_turn
from pipeline.exact.gram_sums import gram_matrix
from pipeline.settings.errors import UserError


def part(rows: int, seed: int = 0, scale: float = 1.0) -> Part:
    """Return the sums of random rows of two columns."""
    numbers = np.random.default_rng(seed).standard_normal((rows, 2)) * scale
    if not rows:
        return Part.of_no_rows(2)
    low, high = (tuple(each.tolist()) for each in (numbers.min(axis=0), numbers.max(axis=0)))
    return Part(low, high, gram_matrix(numbers))


def example(test_rows: int = 4) -> Summary:
    return Summary(
        features=("größe 'x'",),
        targets=("y",),
        float32=frozenset({"y"}),
        exact=frozenset(),
        parts=(part(9), part(0), part(7, 1, 1e300), part(3, 2, 1e-300)),
        fold_places=each_part_in_turn(4),
        test=part(test_rows, 3),
        sample=SampleRows(19, 0, test_rows),
    )


@pytest.mark.parametrize("test_rows", [0, 4])
def test_what_is_written_is_read_again(tmp_path: Path, test_rows: int) -> None:
    path, whole = tmp_path / "summary.json", example(test_rows)
    path.write_bytes(whole.as_bytes())
    again = summary.read_summary(path)
    assert again.as_bytes() == whole.as_bytes()
    assert (again.features, again.targets, again.sample) == (
        whole.features,
        whole.targets,
        whole.sample,
    )
    assert (again.float32, again.exact) == (whole.float32, whole.exact)
    for one, other in zip((*again.parts, again.test), (*whole.parts, whole.test), strict=True):
        assert (one.rows, one.smallest, one.largest) == (other.rows, other.smallest, other.largest)
        for i in range(3):
            for j in range(3):
                assert one.gram.inner_product(i, j) == other.gram.inner_product(i, j)


def test_people_find_rows_and_ranges_in_it() -> None:
    whole = example()
    value = json.loads(whole.as_bytes())
    keys = ["features", "targets", "float32", "exact", "train", "parts", "folds", "test", "sample"]
    assert list(value) == keys
    lows = np.array([each.smallest for each in whole.parts if each.rows])
    assert value["train"]["rows"] == 19
    assert value["train"]["smallest"] == lows.min(axis=0).tolist()
    assert value["parts"][1]["smallest"] == []
    assert value["sample"] == {"train": 19, "extreme": 0, "test": 4}


def test_parts_add_up_in_any_order() -> None:
    one, two, three = part(5), part(6, 1), part(7, 2, 1e9)
    sums = [one + two + three, three + (two + one), Part.of_no_rows(2) + two + one + three]
    assert len({json.dumps(each.as_json()) for each in sums}) == 1
    assert sums[0].rows == 18
    assert json.dumps((one + part(0)).as_json()) == json.dumps((part(0) + one).as_json())
    assert (Part.of_no_rows(2) + Part.of_no_rows(2)).rows == 0


def test_folds_are_sums_of_parts() -> None:
    parts = (part(9), part(0), part(7, 1), part(3, 2), part(5, 3))
    in_time = (FoldPlaces((2,), ()), FoldPlaces((3, 1), (0, 2)), FoldPlaces((4,), (0, 2, 3)))
    whole = replace(example(), parts=parts, fold_places=(*each_part_in_turn(5), *in_time))
    assert [fold.number for fold in whole.folds] == [1, 2, 3, 4, 5, 6, 7, 8]
    for fold, places in zip(whole.folds, whole.fold_places, strict=True):
        for side, chosen in ((fold.test, places.test), (fold.training, places.training)):
            of_parts = reduce(add, [parts[place] for place in chosen], part(0))
            assert json.dumps(side.as_json()) == json.dumps(of_parts.as_json())
    assert Summary.from_json(json.loads(whole.as_bytes())).fold_places == whole.fold_places
    assert [fold.number for fold in whole.folds_with_rows] == [1, 3, 4, 5, 7, 8]
    assert replace(whole, fold_places=in_time[:2]).folds_with_rows == (), "one is not enough"


def test_each_part_is_the_test_of_one_fold() -> None:
    assert each_part_in_turn(3) == (
        FoldPlaces((0,), (1, 2)),
        FoldPlaces((1,), (0, 2)),
        FoldPlaces((2,), (0, 1)),
    )


def test_the_rounding_of_each_column() -> None:
    whole = example()
    assert whole.roundoff(["y", "größe 'x'"]) == [2.0**-24, 2.0**-53]


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        summary.read_summary(path)
    return str(caught.value)


def test_a_damaged_summary_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    assert refusal(path) == f"{path}: there is no such file; `dvc repro` makes it"
    whole = example().as_bytes()
    value = json.loads(whole)
    damaged: list[bytes] = [whole[: len(whole) // 2], b"", b"[]", b"\xff", b'"text"', b"null"]
    damaged += [
        json.dumps({name: each for name, each in value.items() if name != key}).encode()
        for key in value.keys() - {"train"}  # which is the sum of the parts
    ]
    first, *others = value["parts"]
    wrong: list[dict[str, object]] = [
        {"parts": [first | {"entries": first["entries"][1:]}, *others]},
        {"parts": [first | {"entries": None}, *others]},
        {"parts": [first | {"smallest": 1}, *others]},
        {"parts": []},
        {"folds": None},
        {"folds": [{"test": [0]}]},
        {"folds": [{"test": [0], "training": [1, 4]}]},
        {"folds": [{"test": [-1], "training": [1]}]},
        {"folds": [{"test": [0], "training": [True]}]},
        {"folds": [{"test": [0], "training": [1, 0]}]},
        {"folds": [{"test": [0], "training": [1, 1]}]},
        {"parts": [first | {"exponents": [0, 0]}, *others]},
        {"sample": {"train": 1}},
        {"test": None},
        {"features": ["x", "z"]},
    ]
    damaged += [json.dumps(value | each).encode() for each in wrong]
    for content in damaged:
        path.write_bytes(content)
        told = refusal(path)
        assert told.startswith(f"{path}: damaged ("), content
        assert told.endswith("); `dvc repro -f` makes it again")


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path) in refusal(tmp_path)

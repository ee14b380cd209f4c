"""Results of a small repository side by side: the same held-out rows, or the reason why not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from commits import nothing
from compared import Results, flats
from compared import results_fixture as results_fixture
from own_tables import put
from scipy import stats

from pipeline.columns import plan
from pipeline.columns.blocks import TableFile
from pipeline.learning.line import load_line
from pipeline.measures import row_errors
from pipeline.report import comparison
from pipeline.report.comparison import Comparison
from pipeline.results import places, recorded
from pipeline.settings import files
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.tables import row_groups
from pipeline.tracking import side_by_side


def compared(first: str, other: str | None = None) -> Comparison:
    """Compare two commits, or a commit with the folder."""
    before, after = places.named(first), places.named(other) if other else places.in_folder()
    assert before is not None
    assert after is not None
    a, b = recorded.of_place(before), recorded.of_place(after)
    with recorded.opened(a) as first_opened, recorded.opened(b) as other_opened:
        return side_by_side.compared(first_opened, other_opened)


def squared_errors() -> Any:
    """Return the squared errors of the model in the folder on its held-out rows, in float64."""
    columns, params = plan.read_plan(), params_yaml.load()
    (rows,) = TableFile(files.TEST, columns, params.data.targets).blocks()
    line = load_line(files.MODEL, params.model, len(columns.encoded_names), 1)
    assert line is not None
    return (line.predict(rows.values[:, :-1])[:, 0] - rows.values[:, -1]) ** 2


def test_other_features_are_compared_row_by_row(results: Results) -> None:
    """An analyst asks whether a column helps."""
    features = {"heating": {"kind": "category"}, "number": {"kind": "number"}}
    poor = results.committed(data__features=features, model__dtype="float64")
    before = squared_errors()
    good = results.committed(data__features=["area"], model__dtype="float64")
    after = squared_errors()
    same = compared(poor, good)
    test = stats.ttest_rel(after, before)
    paired = same.paired[row_errors.ALL_TARGETS]
    assert paired.pairs == len(before) > 50
    assert paired.mean == pytest.approx((after - before).mean(), rel=1e-9)
    assert [paired.low, paired.high] == pytest.approx(list(test.confidence_interval()), rel=1e-9)
    change = same.metrics[1]["test.mse"] - same.metrics[0]["test.mse"]
    assert paired.mean == pytest.approx(change, rel=1e-9), "as metrics.json has it"
    assert comparison.verdicts(same)[0].startswith("B is better: on the same")
    assert same.labels == (f"commit {poor[:7]}", f"commit {good[:7]}")
    assert same.differences["params"] == ["data.features: + area, − heating, − number"]
    assert same.differences["code"] == same.differences["packages"] == []
    assert "A is better" in comparison.verdicts(compared(good, poor))[0]


def test_noise_is_called_noise(results: Results) -> None:
    """The number of a flat says nothing about its price."""
    commit = results.committed(data__features=["area"])
    results.in_folder(data__features=["area", "number"])
    assert comparison.verdicts(compared(commit))[0].startswith("It may be noise: on the same")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seed": 1}, "they hold out other rows: seed is 0 and 1"),
        ({"data__test_fraction": 0.2}, "they hold out other rows: data.test_fraction is 0.3 and"),
        ({"data__test_fraction": 0.0}, "they hold out other rows: data.test_fraction is 0.3 and"),
    ],
)
def test_other_rows_are_not_paired(results: Results, changes: dict[str, Any], reason: str) -> None:
    commit = results.committed()
    results.in_folder(**changes)
    same = compared(commit)
    assert not same.paired
    assert same.not_paired.startswith(reason)
    assert "train.mse" in same.metrics[0]


@pytest.mark.slow
def test_of_whole_groups_the_interval_is_qualified(results: Results) -> None:
    by = {"share": 0.3, "by": "heating"}
    poor = results.committed(data__features=["number"], data__test_fraction=by)
    results.in_folder(data__features=["area"], data__test_fraction=by)
    same = compared(poor)
    assert comparison.verdicts(same)[0].startswith("B is better")
    (note,) = same.notes
    assert note.startswith('Held out are whole groups of "heating": rows of a group depend')
    assert "Held out" not in files.CARD.read_text()
    assert ", whole groups of `heating` are held out." in files.CARD.read_text()
    results.in_folder(data__features=["area"])
    assert compared(poor).not_paired == (
        'they hold out other rows: data.test_fraction is {"share": 0.3, "by": "heating"} and 0.3'
    )


def test_without_held_out_rows_the_way_to_have_some_is_said(results: Results) -> None:
    commit = results.committed(data__test_fraction=0.0)
    results.in_folder(data__test_fraction=0.0, data__features=["area", "number"])
    assert compared(commit).not_paired == (
        "no row is held out; set data.test_fraction, such as to 0.2"
    )


def test_another_table_has_other_rows(results: Results) -> None:
    commit = results.committed()
    put(flats(scatter=30), "flats.csv")
    results.in_folder()
    same = compared(commit)
    assert same.not_paired == 'they hold out other rows: the values of "price" differ'
    assert "other files in data/raw" in same.differences["data"]


def test_of_a_table_that_has_grown_the_old_rows_are_compared(results: Results) -> None:
    """A row stays on its side when rows are appended."""
    commit = results.committed()
    rows = len(squared_errors())
    more = np.random.default_rng(3).uniform(30, 150, 200).round(2)
    put(flats() + "".join(f"{area},gas,0,{3 * area}\n" for area in more), "flats.csv")
    results.in_folder()
    same = compared(commit)
    assert same.paired[row_errors.ALL_TARGETS].pairs == rows
    (note,) = same.notes
    assert note.startswith("B holds out ")
    assert note.endswith(f"rows; the comparison is of {rows} of them.")
    assert any("→" in text for text in same.differences["data"])


def test_of_rows_that_stay_where_they_are_the_sample_is_compared(results: Results) -> None:
    """The pipeline has no copy of the held-out rows, except those in the sample."""
    put(pa.csv.read_csv(pa.BufferReader(flats().encode())), "flats.parquet")
    source: dict[str, Any] = {"data__source": "data/raw/flats.parquet", "data__keep_rows": False}
    poor = results.committed(data__features=["number"], **source)
    good = results.committed(data__features=["area"], **source)
    assert row_groups.sizes_in(files.TEST) == []
    same = compared(poor, good)
    assert same.paired[row_errors.ALL_TARGETS].mean == pytest.approx(
        same.metrics[1]["test.mse"] - same.metrics[0]["test.mse"], rel=1e-4
    )
    assert not same.notes, "the sample has all held-out rows"


def test_what_was_edited_since_is_said(results: Results) -> None:
    """The result that is compared is not the one that the person has in mind."""
    commit = results.committed()
    results.in_folder(data__features=["area", "number"])
    assert not compared(commit).notes
    path = Path("params.yaml")
    path.write_text(path.read_text().replace("seed: 0", "seed: 7"))
    with Path("pipeline/train.py").open("a") as code:
        code.write("# edited\n")
    (note,) = compared(commit).notes
    assert note == (
        "Edited since the result in this folder was made: seed, pipeline/train.py; `dvc repro`"
        " makes the new result."
    )
    here = places.in_folder()
    assert here is not None
    with pytest.raises(UserError, match=r"nothing differs; edited since: seed, pipeline/train.py,"):
        side_by_side.check_different([recorded.of_place(here)] * 2)


def test_in_the_same_folds_the_errors_of_folds_are_compared(results: Results) -> None:
    """Without held-out rows the folds alone say which is better, if the penalty chose or not."""
    poor = results.committed(data__test_fraction=0.0, data__features=["number"])
    good = results.committed(data__test_fraction=0.0, train__l2="cv")
    same = compared(poor, good)
    assert same.not_paired.startswith("no row is held out")
    told, _ = comparison.verdicts(same)
    assert told.startswith(
        "Cross-validation. B is better: on the same 5 folds of the training rows"
    )
    folds = same.in_folds[row_errors.ALL_TARGETS]
    for metrics, error in zip(same.metrics, (folds.first, folds.other), strict=True):
        # The mean of the squares of roots is the square of their mean, and their variance.
        mean, std = metrics["cv.rmse.mean"], metrics["cv.rmse.std"]
        assert error == pytest.approx(mean**2 + 4 / 5 * std**2)
    (note,) = same.notes
    assert note.startswith(
        "The folds have chosen the penalty of B, so the errors of B in the folds"
    )
    other_folds = results.committed(data__test_fraction=0.0, data__folds=4)
    assert not compared(good, other_folds).in_folds


def test_if_folds_cannot_be_compared_their_means_are_shown(results: Results) -> None:
    commit = results.committed(data__test_fraction=0.0, data__features=["number"])
    results.in_folder(data__test_fraction=0.0)
    before, after = places.named(commit), places.in_folder()
    assert before is not None
    assert after is not None
    with (
        recorded.opened(recorded.of_place(before)) as first,
        recorded.opened(recorded.of_place(after)) as other,
    ):
        cv = {"cv.rmse.mean": 20.0, "cv.rmse.std": 0.5}
        a, b = replace(first, metrics=cv), replace(other, metrics=cv | {"cv.rmse.mean": 18.0})
        (note,) = side_by_side.compared(a, b).notes
    assert "on the same folds, the root mean squared error is 20 ± 0.5 (A) and 18 ± 0.5 (B)" in note


def test_other_targets_are_refused(results: Results) -> None:
    commit = results.committed()
    results.in_folder(data__features=["price"], data__targets=["area"])
    with pytest.raises(UserError, match=r'data.targets: found "price" \(commit .* and "area" \(t'):
        compared(commit)


@pytest.mark.slow
def test_several_targets_have_a_difference_each(results: Results) -> None:
    changes = {"data__targets": ["price", "area"], "model__dtype": "float64"}
    commit = results.committed(data__features=["number"], **changes)
    results.in_folder(data__features=["number"], train__optimizer="lbfgs", **changes)
    paired = compared(commit).paired
    assert set(paired) == {"price", "area", row_errors.ALL_TARGETS}
    mean = (paired["price"].mean + paired["area"].mean) / 2
    assert paired[row_errors.ALL_TARGETS].mean == pytest.approx(mean, rel=1e-6, abs=1e-9)


def test_what_the_cache_lacks_is_said(results: Results) -> None:
    """As in a fresh clone before `dvc pull`: git has the metrics, but not the rows."""
    lock = results.made()
    commit = results.repository.commit(lock, "reports")
    results.in_folder(data__features=["area", "number"])
    same = compared(commit)
    assert same.not_paired == (
        "DVC's cache lacks data/test.parquet, models/contract.json, models/model.onnx of commit"
        f" {commit[:7]}; `dvc repro` in its commit makes them again"
    )
    assert same.metrics[0]["test.mse"] > 0


def test_a_damaged_model_is_a_reason(results: Results) -> None:
    commit = results.committed()
    results.made(data__features=["number"])
    files.ONNX.write_bytes(b"not a model")
    lock = results.repository.lock
    for stage in lock["stages"].values():
        for out in stage["outs"]:
            if out["path"] == str(files.ONNX):
                out["md5"] = results.repository.cached(b"not a model")
    Path("dvc.lock").write_text(results.repository.changed(nothing))
    same = compared(commit)
    assert "models/contract.json" in same.not_paired
    assert "abline-" not in same.not_paired, "a temporary folder"


def test_a_model_of_the_logarithm_is_compared_in_the_unit_of_the_price(results: Results) -> None:
    plain = results.committed()
    log = results.committed(data__targets={"price": "log"})
    page = compared(plain, log)
    first, other = page.metrics
    names = {"own_unit_rmse", "own_unit_mae", "own_unit_r2"}
    assert (
        {*first} == {*other} == {f"{part}.{name}" for part in ("train", "test") for name in names}
    )
    paired = page.paired[row_errors.ALL_TARGETS]
    assert paired.first == pytest.approx(first["test.own_unit_rmse"] ** 2, rel=1e-5)
    assert paired.other == pytest.approx(other["test.own_unit_rmse"] ** 2, rel=1e-5)
    assert not page.in_folds
    (note,) = page.notes
    assert note.startswith("A is fitted to price, B to log(price): the figures above are in")
    assert "A is better: on the same" in comparison.as_text(page), "the table is a straight line"

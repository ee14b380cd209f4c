"""Partial dependence and importance of a model that is known: what they must say is known too."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from mixed_tables import FEATURES, mixed_rows, put_mixed

from pipeline.columns.sample import Sample
from pipeline.columns.summary import read_summary
from pipeline.measures import importance, partial_dependence
from pipeline.measures.measuring import Model
from pipeline.measures.model_errors import Floats
from pipeline.measures.partial_dependence import Dependence, Dependences
from pipeline.settings.keys.weight_settings import Weights


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """Return a model of the mixed table: bent in the area, up with oil and with the days."""
    monkeypatch.chdir(tmp_path)
    plan = put_mixed()
    names = plan.encoded_names
    area, oil = names.index("area"), names.index("heating[oil]")
    days = names.index("sold[days]")

    def predict(x: Floats) -> Floats:
        y = np.abs(x[:, area] - 80) + 7 * x[:, oil] + (x[:, days] - 18_262) / 4
        return np.asarray(y)[:, None]

    return Model(plan, ("price",), predict, is_line=False)


def curves(model: Model) -> dict[str, Dependence]:
    return {curve.name: curve for curve in Dependences.of(read_summary(), model).curves}


def test_a_curve_is_the_mean_of_the_predictions_with_the_column_set_to_a_value(
    model: Model,
) -> None:
    by_name = curves(model)
    assert set(by_name) == set(FEATURES)
    area = by_name["area"]
    assert list(area.values) == sorted(set(area.values.tolist()))
    assert len(area.values) == partial_dependence.MOST_VALUES
    assert (area.values[0], area.values[-1]) == (min(area.rows_at), max(area.rows_at))
    rest = area.mean[:, 0] - np.abs(area.values.astype(float) - 80)
    np.testing.assert_allclose(rest, rest[0], rtol=1e-12)
    days = by_name["sold"]
    assert days.values.dtype == "datetime64[D]"
    slope = np.diff(days.mean[:, 0]) / np.diff(days.values).astype(float)
    np.testing.assert_allclose(slope, 0.25, rtol=1e-9)
    heating = by_name["heating"]
    at = dict(zip(heating.values.tolist(), heating.mean[:, 0], strict=True))
    assert at["oil"] - at["gas"] == pytest.approx(7)
    assert at[""] == pytest.approx(at["gas"]), "a gap is a level of its own"
    assert heating.rows.shape == (3, 40)
    np.testing.assert_allclose(heating.rows.mean(axis=1), heating.mean[:, 0])


def test_a_gap_is_no_value_of_a_number(model: Model) -> None:
    age = curves(model)["age"]
    assert not np.isnan(age.values.astype(float)).any()
    assert not np.isnan(age.rows_at.astype(float)).any()
    assert len(age.rows_at) == 40 - 6


def test_the_mean_is_exact_whatever_the_order_of_the_sum(model: Model) -> None:
    """A sum of NumPy would differ between processors, and with it the bytes of the picture."""

    def predict(x: Floats) -> Floats:
        return np.where(np.arange(len(x)) % 2, 1e16, -1e16)[:, None] + x[:, :1]

    rough = Model(model.plan, ("price",), predict, is_line=False)
    for curve in Dependences.of(read_summary(), rough).curves[:1]:
        exact = [float(sum(map(int, at.tolist()))) / 40 for at in curve.rows]
        assert curve.mean[:, 0].tolist() == exact


def test_a_column_that_the_model_does_not_use_has_no_importance(model: Model) -> None:
    rows = mixed_rows()
    growth = importance.of_columns(Sample(rows, 40, rows.slice(0, 0)), model)
    assert growth["age"] == growth["district"] == 0
    assert [*growth][:1] == sorted(growth, key=lambda name: -growth[name])[:1]
    assert len(growth) == 5


def test_importance_is_measured_where_the_model_was_not_trained(model: Model) -> None:
    """A model that has learnt its rows by heart needs each column there, and none elsewhere."""
    rows = mixed_rows(40)
    held_out, training = rows.slice(0, 20), rows.slice(20, 20)
    both = importance.of_columns(Sample(training, 20, held_out), model)
    alone = importance.of_columns(Sample(held_out, 20, held_out.slice(0, 0)), model)
    assert both == alone
    assert both != importance.of_columns(Sample(training, 20, rows.slice(0, 0)), model)


def test_the_error_grows_by_what_shuffling_adds(model: Model) -> None:
    """Of y = 2 · area without noise: the mean square of 2 · (a − b) over shuffled pairs."""
    rows = mixed_rows()
    place = model.plan.encoded_names.index("area")
    line = Model(model.plan, ("price",), lambda x: 2 * x[:, [place]], is_line=False)
    exact = rows.set_column(
        rows.column_names.index("price"),
        "price",
        pa.array(2 * rows.column("area").to_numpy()),
    )
    growth = importance.of_columns(Sample(exact, 40, exact.slice(0, 0)), line)
    assert growth["area"] == pytest.approx(
        2 * np.sqrt(2) * rows.column("area").to_numpy().std(), rel=0.15
    )
    assert {value for name, value in growth.items() if name != "area"} == {0.0}


def test_rows_count_with_their_weights(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of the weight 3 has three times the say of another one."""
    rows = mixed_rows()
    area = rows.column("area").to_numpy()
    plan = model.plan.model_copy(update={"weights": Weights(by="weight")})
    place = plan.encoded_names.index("area")
    line = replace(model, plan=plan, predict=lambda x: 2 * x[:, [place]])
    exact = rows.set_column(rows.column_names.index("price"), "price", pa.array(2 * area))

    def growth(weight: Floats) -> float:
        table = exact.append_column("weight", pa.array(weight))
        return importance.of_columns(Sample(table, 40, table.slice(0, 0)), line)["area"]

    only = np.full(40, 1e-30)
    extreme, usual = np.argmax(area), np.argsort(area)[20]
    far, near = (growth(np.where(np.arange(40) == row, 1.0, only)) for row in (extreme, usual))
    assert far > 2 * np.std(area) > near
    assert growth(np.ones(40)) == growth(np.full(40, 8.0))

    weight = np.random.default_rng(3).integers(1, 6, 40).astype(float)
    sample = Sample(rows.append_column("weight", pa.array(weight)), 40, rows.slice(0, 0))
    monkeypatch.setattr(partial_dependence, "read_sample", lambda *_: sample)
    for curve in Dependences.of(read_summary(), replace(model, plan=plan)).curves:
        of_rows = np.average(curve.rows, axis=1, weights=weight)
        np.testing.assert_allclose(curve.mean[:, 0], of_rows, rtol=1e-12)


def test_the_error_of_a_logarithm_is_measured_on_its_scale(model: Model) -> None:
    """As `rmse` is. In dollars nothing would seem important beside the mean price."""
    rows = mixed_rows()
    area = rows.column("area").to_numpy()
    plan = model.plan.model_copy(update={"target_scales": {"price": "log"}})
    place = plan.encoded_names.index("area")
    line = replace(model, plan=plan, predict=lambda x: x[:, [place]] / 50)
    price = pa.array(np.exp(area / 50))
    exact = rows.set_column(rows.column_names.index("price"), "price", price)
    growth = importance.of_columns(Sample(exact, 40, exact.slice(0, 0)), line)
    assert growth["area"] == pytest.approx(np.sqrt(2) * np.std(area) / 50, rel=0.15)
    assert growth["age"] == 0


def test_metrics_have_the_most_important_columns_and_nothing_of_a_line(model: Model) -> None:
    found = Dependences.of(read_summary(), model)
    assert found.in_metrics()["importance"] == found.importance
    many = {f"x{place}": 1.0 / (place + 1) for place in range(30)}
    assert [*Dependences(many, ()).in_metrics()["importance"]] == [f"x{n}" for n in range(20)]
    line = Model(model.plan, model.targets, model.predict, is_line=True)
    assert Dependences.of(read_summary(), line).in_metrics() == {}

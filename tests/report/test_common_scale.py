"""A model of log(price) and one of price are compared in the price's own unit."""

from pipeline.report import common_scale

PLAIN = {"data.targets": ["price"]}
LOG = {"data.targets": {"price": "log"}}


def test_figures_of_the_fitted_scale_are_left_out_and_own_ones_have_one_name() -> None:
    of_log = {"test.rmse": 0.1, "test.own_unit_rmse": 30.0, "cv.rmse.mean": 0.2, "train.loss": 1.0,
              "prediction.query_1.price": 500.0, "reference.gap": 0.1}  # fmt: skip
    of_price = {"test.rmse": 40.0, "test.r2": 0.9, "train.mae": 3.0, "train.loss": 2.0,
                "prediction.query_1.price": 510.0}  # fmt: skip
    assert common_scale.comparable(LOG, of_log) == {
        "test.own_unit_rmse": 30.0,
        "prediction.query_1.price": 500.0,
    }
    assert common_scale.comparable(PLAIN, of_price) == {
        "test.own_unit_rmse": 40.0,
        "test.own_unit_r2": 0.9,
        "train.own_unit_mae": 3.0,
        "prediction.query_1.price": 510.0,
    }


def test_scales_of_results_of_any_version() -> None:
    assert common_scale.is_common(PLAIN, {"data.targets": {"price": "none"}})
    assert common_scale.is_common(LOG, LOG)
    assert not common_scale.is_common(PLAIN, LOG)
    assert common_scale.is_common({}, PLAIN)


def test_the_note_says_which_is_which() -> None:
    (note,) = common_scale.notes(PLAIN, LOG, in_folds=False)
    assert note.startswith("A is fitted to price, B to log(price): the figures above are in")
    assert [*common_scale.notes(PLAIN, PLAIN, in_folds=True)] == []
    (note,) = common_scale.notes(LOG, LOG, in_folds=True)
    assert note.startswith("Errors in the folds are of log(price); those on held-out rows")

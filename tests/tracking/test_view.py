"""The view of MLflow's page shows the parameters that differ and the metrics that decide."""

from collections.abc import Mapping

from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag

from pipeline.tracking import view


def a_run(
    params: Mapping[str, object], metrics: Mapping[str, float], tags: str = "result_id"
) -> Run:
    """Return a run with these values, as MLflow gives it."""
    return Run(
        RunInfo("id", "0", "user", "FINISHED", 0, None, "active", None),
        RunData(
            [Metric(key, value, 0, 0) for key, value in metrics.items()],
            [Param(key, str(value)) for key, value in params.items()],
            [RunTag(tags, "there")],
        ),
    )


def columns(*runs: Run) -> list[str]:
    """Return the columns of the page. runs: from the newest to the oldest."""
    return [name.replace("`", "") for name in view.state(runs)["selectedColumns"]]


def test_the_columns_are_what_was_varied_in_the_last_generation() -> None:
    common: dict[str, float] = {
        "a.new": 1,
        "b.new": 2,
        "c.new": 3,
        "d.new": 4,
        "e.new": 5,
        "f.new": 6,
    }
    base = {"train.lr": 0.01, "train.epochs": 100, "train.momentum": 0.0}
    varied = [base | {"train.lr": lr} for lr in (0.02, 0.05, 0.1, 0.2)]
    varied += [base | {"train.epochs": 1000}, base]
    new = [a_run(common | params, {"loss": 0.1}) for params in varied]
    old = [a_run(base | {"train.momentum": 0.9}, {}), a_run(base, {})]
    training = a_run({"train.lr": 0.3}, {"loss": 1.0}, tags="process.training")
    evaluated = a_run({}, {"r2_score": 0.5}, tags="mlflow.evaluation")
    shown = ["params.train.lr", "params.train.epochs"]
    assert columns(*new) == shown
    assert columns(training, evaluated, *new) == shown
    # What only older runs varied comes last; what they lack was not varied by anybody.
    assert columns(*new, *old) == [*shown, "params.train.momentum"]


def test_the_metrics_are_those_that_decide_and_differ() -> None:
    figures = {"train.loss": 1.0, "train.r2": 0.9, "reference.gap": 1.0, "test.loss": 0.5}
    answers = {"prediction.query_1.rent": 3.0, "prediction.query_2.rent": 4.0}
    first = a_run({}, figures | answers | {"test.r2": 0.8})
    other = {"test.r2": 0.7, "train.loss": 0.9, "reference.gap": 0.9, "loss": 0.9}
    second = a_run({}, figures | answers | other)
    assert columns(first, second) == ["metrics.test.r2", "metrics.train.loss"]
    assert charts(first, second) == ["loss", "test.r2", "train.loss"]
    alone = ["test.r2", "test.loss", "prediction.query_1.rent", "train.loss"]
    assert charts(first) == ["loss", *alone]


def charts(*runs: Run) -> list[str]:
    """Return the charts of the page."""
    return [chart["metricKey"] for chart in view.state(runs)["compareRunCharts"]]


def test_runs_that_do_not_differ_are_shown_with_their_figures_and_the_usual_parameters() -> None:
    values = {"train.lr": 0.01, "train.epochs": 100, "train.optimizer": "sgd", "seed": 0}
    figures = {"prediction.query_1.y": 7.5, "train.loss": 0.1}
    same = [a_run(values, figures), a_run(values, figures)]
    usual = ["train.lr", "train.epochs", "train.optimizer"]
    assert columns(*same) == [*(f"params.{key}" for key in usual), "metrics.prediction.query_1.y"]
    assert charts(*same) == ["loss", *figures]


def test_parameters_that_change_no_figure_are_shown_if_no_other_differs() -> None:
    base = {"train.lr": 0.01, "export.atol": 0.0}
    newest, old = a_run(base, {}), a_run(base | {"export.atol": 1e-6}, {})
    assert columns(newest, old) == ["params.export.atol"]
    assert columns(newest, a_run(base | {"train.lr": 0.02}, {}), old) == ["params.train.lr"]


def test_a_metric_that_older_runs_lack_is_compared_among_those_that_have_it() -> None:
    """The gap to an optimum of 0 is the loss, and older code had no gap."""
    runs = [a_run({}, {"train.loss": loss, "reference.gap": loss}) for loss in (0.1, 0.2)]
    assert charts(*runs, a_run({}, {"train.loss": 0.3})) == ["loss", "train.loss"]
    other = a_run({}, {"train.loss": 0.3, "reference.gap": 0.2})
    assert charts(*runs, other) == ["loss", "train.loss", "reference.gap"]


def test_metrics_leave_room_for_the_parameters_that_differ() -> None:
    figures = {f"test.{name}": 0.1 for name in ("r2", "rmse", "loss")}
    better = {key: 2 * value * number for number, (key, value) in enumerate(figures.items(), 1)}
    base = {"train.lr": 0.01, "train.epochs": 100}
    one = [a_run(base, figures), a_run(base | {"train.lr": 0.02}, better)]
    assert columns(*one) == ["params.train.lr", "metrics.test.r2", "metrics.test.rmse"]
    two = [*one, a_run(base | {"train.epochs": 1000}, better)]
    assert columns(*two) == ["params.train.epochs", "params.train.lr", "metrics.test.r2"]
    assert charts(*two) == ["loss", "test.r2", "test.rmse", "test.loss"]

"""What the reports say is wrong with a fit: statsmodels' figures, and what has none."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import statsmodels.api as sm
from conftest import job
from diagnosed import uneven
from numpy.typing import NDArray
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.stattools import durbin_watson

from pipeline import evaluate, generate, train
from pipeline.report import summary
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params

Floats = NDArray[np.float64]


def own(columns: dict[str, list[Any]], **changes: Any) -> Params:
    """Write a user's table; return a job that fits y exactly."""
    files.RAW.mkdir(parents=True, exist_ok=True)
    lines = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    (files.RAW / "t.csv").write_text("\n".join(lines) + "\n")
    features = [name for name in columns if name not in ("y", "shop", "day")]
    usual: dict[str, Any] = {
        "data__source": "data/raw/t.csv",
        "data__features": features,
        "data__targets": ["y"],
        "evaluate__queries": [],
        "train__optimizer": "exact",
    }
    return job(**usual | changes)


def evaluated(params: Params) -> tuple[dict[str, Any], list[dict[str, str]], list[dict[str, str]]]:
    """Run the stages; return the diagnostics, the coefficients and the influential rows."""
    generate.main(params)
    train.main(params)
    evaluate.main(params)
    diagnostics = json.loads(files.METRICS.read_text())["diagnostics"]
    tables = (csv_cells.read_csv(path) for path in (files.COEFFICIENTS, files.INFLUENCE))
    return diagnostics, *tables


def table(x: Floats, y: Floats, **others: list[Any]) -> dict[str, list[Any]]:
    return {
        **{f"x{place}": column.tolist() for place, column in enumerate(x.T)},
        "y": y.tolist(),
        **others,
    }


def column(rows: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in rows]


@pytest.fixture(autouse=True)
def quick(workspace: Path) -> Iterator[None]:
    """Draw no pictures and track no run."""
    with patch.object(evaluate, "draw"), patch.object(train, "live_run"):
        yield


def test_figures_are_those_of_statsmodels_and_rows_those_of_the_file() -> None:
    x, y = uneven(300)
    shops = (np.arange(300) // 9).tolist()
    found, terms, rows = evaluated(own(table(x, y, shop=shops), data__clusters="shop"))
    design = np.column_stack([x, np.ones(300)])
    fitted = sm.OLS(y, design).fit()
    clustered = fitted.get_robustcov_results("cluster", groups=np.array(shops))
    expected = {
        "std_error": fitted.bse,
        "std_error_hc1": fitted.HC1_se,
        "std_error_hc3": fitted.HC3_se,
        "std_error_clustered": clustered.bse,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(column(terms, name), values, 1e-9)
    pagan = found["targets"]["y"]["breusch_pagan"]
    assert (pagan["statistic"], pagan["p"]) == pytest.approx(
        het_breuschpagan(fitted.resid, design)[:2], rel=1e-9
    )
    assert pagan["verdict"] == "worrying"
    assert found["targets"]["y"]["clusters"]["number"] == 34
    cooks = fitted.get_influence().cooks_distance[0]
    order = np.argsort(-cooks)[:20]
    assert column(rows, "row") == (order + 2).tolist(), "the line of the file, after its first"
    np.testing.assert_allclose(column(rows, "cooks_distance"), cooks[order], 1e-9)
    outside = fitted.outlier_test()[:, 0]
    np.testing.assert_allclose(column(rows, "studentized_residual"), outside[order], 1e-9)
    np.testing.assert_allclose(column(rows, "predicted"), fitted.fittedvalues[order], 1e-9)


def test_precisions_and_a_weight_of_zero_are_the_rows_times_their_roots() -> None:
    """Beside OLS of these rows: statsmodels has no influence of WLS."""
    x, y = uneven(120)
    weights = np.random.default_rng(3).uniform(0.2, 4, 120).round(3)
    weights[[4, 50]] = 0
    shops = (np.arange(120) // 5).tolist()
    columns = table(x, y, shop=shops, w=weights.tolist())
    features = [name for name in columns if name.startswith("x")]
    params = own(columns, data__weights="w", data__clusters="shop", data__features=features)
    found, terms, rows = evaluated(params)
    kept = np.flatnonzero(weights)
    root, design = np.sqrt(weights[kept]), np.column_stack([x, np.ones(120)])[kept]
    whitened = sm.OLS(root * y[kept], root[:, None] * design).fit()
    clustered = whitened.get_robustcov_results("cluster", groups=np.array(shops)[kept])
    for name, values in {
        "std_error_hc1": whitened.HC1_se,
        "std_error_hc3": whitened.HC3_se,
        "std_error_clustered": clustered.bse,
    }.items():
        np.testing.assert_allclose(column(terms, name), values, 1e-9)
    influence = whitened.get_influence()
    cooks = influence.cooks_distance[0]
    order = np.argsort(-cooks)[:20]
    assert column(rows, "row") == (kept[order] + 2).tolist()
    np.testing.assert_allclose(column(rows, "cooks_distance"), cooks[order], 1e-9)
    np.testing.assert_allclose(column(rows, "leverage"), influence.hat_matrix_diag[order], 1e-9)
    outside = whitened.outlier_test()[:, 0]
    np.testing.assert_allclose(column(rows, "studentized_residual"), outside[order], 1e-9)
    residual = (whitened.resid / root)[order]
    np.testing.assert_allclose(column(rows, "residual"), residual, 1e-9)
    np.testing.assert_allclose(column(rows, "predicted"), y[kept][order] - residual, 1e-9)
    tests = found["targets"]["y"]
    assert tests["clusters"]["number"] == 24
    expected = het_breuschpagan(whitened.resid, design)[0]
    assert tests["breusch_pagan"]["statistic"] == pytest.approx(expected, rel=1e-9)
    expected = durbin_watson(whitened.resid)
    assert tests["durbin_watson"]["statistic"] == pytest.approx(expected, rel=1e-9)
    assert found["weights"] == "precision"


def test_a_row_alone_in_a_level_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    x, y = uneven(40)
    levels = ["a", "b"] * 20
    levels[7] = "c"
    features = {"x0": "number", "level": "category"}
    params = own(
        {"x0": x[:, 0].tolist(), "level": levels, "y": y.tolist()}, data__features=features
    )
    found, terms, rows = evaluated(params)
    assert found["leverage"] == {"largest": 1.0, "rows_of_one": 1, "verdict": "worrying"}
    by_term = {row["term"]: row for row in terms}
    assert by_term["level[c]"]["std_error_hc3"] == ""
    assert "one row" in by_term["level[c]"]["note"]
    assert float(by_term["x0"]["std_error_hc3"]) > 0
    assert (rows[-1]["row"], rows[-1]["cooks_distance"], rows[-1]["leverage"]) == ("9", "", "1.0")
    assert len(rows) == 21


@pytest.mark.parametrize(
    ("y", "changes", "reason"),
    [
        ([1.0, 2.0, 4.0], {}, "no_degrees_of_freedom"),
        ([3.0, 5.0, 7.0, 9.0, 11.0], {}, "exact_fit"),
        ([3.0, 5.0, 7.0, 9.0, 12.0], {}, None),
    ],
)
def test_what_cannot_be_diagnosed_is_said(
    y: list[float], changes: dict[str, Any], reason: str | None
) -> None:
    features = {
        f"x{place}": [float((row + 1) ** (place + 1)) for row in range(len(y))]
        for place in range(2)
    }
    found, _, rows = evaluated(own({**features, "y": y}, **changes))
    assert found.get("reason") == reason
    assert bool(rows) == (reason is None)


def test_one_cluster_is_refused_and_single_rows_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x, y = uneven(30)
    with pytest.raises(UserError, match='found one value of "shop" in all 30 training rows'):
        generate.main(own(table(x, y, shop=["a"] * 30), data__clusters="shop"))
    _, terms, _ = evaluated(own(table(x, y, shop=[*range(30)]), data__clusters="shop"))
    assert "std_error_clustered is std_error_hc1" in capsys.readouterr().err
    np.testing.assert_allclose(
        column(terms, "std_error_clustered"), column(terms, "std_error_hc1"), 1e-12
    )


def test_rows_out_of_the_order_of_their_dates_have_no_durbin_watson() -> None:
    x, y = uneven(60)
    days = [f"2020-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(60)]
    asked = {"data__folds": {"number": 3, "by": "day", "gap": 0}}
    ordered, *_ = evaluated(own(table(x, y, day=days), **asked))
    assert ordered["targets"]["y"]["durbin_watson"]["verdict"] != "unknown"
    mixed, *_ = evaluated(own(table(x, y, day=days[::-1]), **asked))
    assert mixed["targets"]["y"]["durbin_watson"]["verdict"] == "unknown"


def test_the_same_bytes_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three row groups, on one thread and on three."""
    params = job(
        data__features=["a", "b"],
        data__generate__x=None,
        data__generate__rows=140_000,
        data__generate__weight=[[1.0], [2.0]],
        data__generate__noise=1.0,
        evaluate__queries=[],
        train__optimizer="exact",
    )
    contents = []
    for cores in (1, 3):
        monkeypatch.setattr("pipeline.exact.cores.available", lambda cores=cores: cores)
        evaluated(params)
        contents.append(
            [path.read_bytes() for path in (files.METRICS, files.COEFFICIENTS, files.INFLUENCE)]
        )
    assert contents[0] == contents[1]


def test_the_summary_says_what_worries() -> None:
    x, y = uneven(300)
    evaluated(own(table(x, y)))
    files.VERIFICATION.write_text('{"checks": []}')
    params = own(table(x, y))
    assert any(line.startswith("take care    residuals scatter") for line in summary.lines(params))


def test_of_a_network_nothing_is_diagnosed() -> None:
    """Its answers do not depend on whether a column repeats another."""
    x = np.random.default_rng(0).normal(size=(40, 2))
    x[:, 1] = x[:, 0] + 1e-3 * x[:, 1]
    network: dict[str, Any] = {
        "model__hidden": [3],
        "train__optimizer": "adam",
        "train__epochs": 2,
        "train__reduction": "mean",
    }
    columns = table(x, x.sum(axis=1) ** 2)
    diagnostics, _, influence = evaluated(own(columns, **network))
    assert (diagnostics, influence) == ({"reason": "not_linear"}, [])
    assert "condition_number" not in json.loads(files.METRICS.read_text())["reference"]
    diagnostics, _, _ = evaluated(own(columns))
    assert diagnostics["vif"]["verdict"] == "worrying"
    assert json.loads(files.METRICS.read_text())["reference"]["condition_number"] > 30

"""Coefficients of terms are those of statsmodels, whose formulas patsy reads."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import statsmodels.formula.api as smf
from sklearn.datasets import load_diabetes
from statsmodels.datasets import anes96, fair
from term_plans import learnt

from pipeline.exact import least_squares
from pipeline.exact.gram_sums import gram_matrix

pytestmark = pytest.mark.slow  # importing statsmodels takes seconds


def compared(
    frame: pd.DataFrame, features: Any, terms: list[str], formula: str, names: dict[str, str]
) -> None:
    """Fit both, and compare each coefficient and its error. names: ours, of patsy's terms."""
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    plan = learnt(rows, features, terms, data__targets=["y"])
    x, refused = plan.encode(rows)
    assert not refused.any()
    fit = least_squares.fit(gram_matrix(x, frame[["y"]].to_numpy()), plan.encoded_names, ("y",))
    assert not fit.dependent
    peer = smf.ols(formula, frame).fit()
    own = [names.get(name, name) for name in peer.params.index if name != "Intercept"]
    assert sorted(own) == sorted(plan.encoded_names)
    places = [plan.encoded_names.index(name) for name in own]
    others = [name for name in peer.params.index if name != "Intercept"]
    np.testing.assert_allclose(fit.weight[0][places], peer.params[others], rtol=1e-9)
    np.testing.assert_allclose(fit.std_error[0][:-1][places], peer.bse[others], rtol=1e-9)
    np.testing.assert_allclose(fit.r2[0], peer.rsquared, rtol=1e-9)


def test_functions_powers_and_a_product_of_numbers() -> None:
    data = load_diabetes(as_frame=True, scaled=False)
    frame = data.frame.rename(columns={"target": "y"})[["age", "bmi", "bp", "s3", "y"]]
    compared(
        frame,
        ["age", "bmi", "bp", "s3"],
        ["log(s3)", "-s3", "sqrt(bp)", "bmi^2", "age:bp"],
        "y ~ age + bmi + bp + np.log(s3) + np.sqrt(bp) + I(bmi ** 2) + age:bp",
        {"np.log(s3)": "log(s3)", "np.sqrt(bp)": "sqrt(bp)", "I(bmi ** 2)": "bmi^2"},
    )


def fair_frame() -> pd.DataFrame:
    frame = fair.load_pandas().data.rename(columns={"affairs": "y"})[:1500]
    job = frame.occupation.map({1: "a", 2: "b", 3: "c", 4: "d", 5: "e", 6: "f"})
    kids = np.where(frame.children > 0, "yes", "no")
    return frame[["y", "age", "educ", "rate_marriage"]].assign(job=job, kids=kids)


def test_a_number_has_another_slope_for_each_level() -> None:
    frame = fair_frame()
    (most,) = frame.job.mode()
    levels = [level for level in "abcdef" if level != most]
    coded = f"C(job, Treatment('{most}'))"
    names = {f"{coded}[T.{level}]": f"job[{level}]" for level in levels}
    names |= {f"age:{coded}[T.{level}]": f"age:job[{level}]" for level in levels}
    features = {"age": "number", "educ": "number", "job": "category"}
    formula = f"y ~ age + educ + {coded} + age:{coded}"
    compared(frame, features, ["age:job"], formula, names)
    # Without a slope of its own, each level has one, the reference too.
    names = {f"{coded}[T.{level}]": f"job[{level}]" for level in levels}
    names |= {f"age:{coded}[{level}]": f"age:job[{level}]" for level in "abcdef"}
    formula = f"y ~ educ + {coded} + age:{coded}"
    compared(frame, features, ["age:job", "-age"], formula, names)


def test_levels_of_two_categories() -> None:
    frame = fair_frame()
    frame["job"] = frame.job.replace({"a": "b", "f": "e"})
    most = {name: frame[name].mode()[0] for name in ("job", "kids")}
    job, kids = (f"C({name}, Treatment('{level}'))" for name, level in most.items())
    jobs = [level for level in "bcde" if level != most["job"]]
    (other,) = {"yes", "no"} - {most["kids"]}
    names = {f"{job}[T.{level}]": f"job[{level}]" for level in jobs}
    names |= {f"{kids}[T.{other}]": f"kids[{other}]"}
    both = {f"{job}[T.{a}]:{kids}[T.{other}]": f"job[{a}]:kids[{other}]" for a in jobs}
    features = {"age": "number", "job": "category", "kids": "category"}
    formula = f"y ~ age + {job} + {kids} + {job}:{kids}"
    compared(frame, features, ["job:kids"], formula, names | both)
    # Each job's effect of children: as many numbers as with both, and the same fit.
    terms = ["job:kids", "-kids"]
    names = {f"{job}[T.{level}]": f"job[{level}]" for level in jobs}
    names |= {f"{job}[{a}]:{kids}[T.{other}]": f"job[{a}]:kids[{other}]" for a in "bcde"}
    compared(frame, features, terms, f"y ~ age + {job} + {job}:{kids}", names)


def test_cells_of_two_categories_without_either_of_them() -> None:
    frame = fair_frame()
    frame["job"] = frame.job.replace({"a": "b", "f": "e"})
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    features = {"age": "number", "job": "category", "kids": "category"}
    errors = []
    for terms in (["job:kids"], ["job:kids", "-job", "-kids"]):
        plan = learnt(rows, features, terms, data__targets=["y"])
        x, _ = plan.encode(rows)
        gram = gram_matrix(x, frame[["y"]].to_numpy())
        fit = least_squares.fit(gram, plan.encoded_names, ("y",))
        assert len(plan.encoded_names) == 1 + 4 * 2 - 1
        assert not fit.dependent
        errors.append(fit.r2[0])
    assert errors[0] == errors[1], "both say all that the cells say"


@pytest.mark.parametrize("columns", [2, 5, 9])
def test_a_spline_fits_as_the_natural_spline_of_patsy_with_its_knots(columns: int) -> None:
    frame = anes96.load_pandas().data[["age", "income", "logpopul"]]
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    terms = [f"spline(age, {columns})", "log(income)"]
    plan = learnt(rows, ["age", "income"], terms, data__targets=["logpopul"])
    x, _ = plan.encode(rows)
    assert plan.encoded_names[-2] == f"spline(age, {columns})[{columns}]"
    names = plan.encoded_names
    fit = least_squares.fit(gram_matrix(x, frame[["logpopul"]].to_numpy()), names, ("t",))
    assert not fit.dependent
    term = plan.terms[0]
    assert term.kind == "spline"
    knots = term.knots
    np.testing.assert_allclose(knots, np.quantile(frame.age, np.linspace(0, 1, columns + 1)))
    inner = ", ".join(map(repr, knots[1:-1]))
    own = f"cr(age, knots=[{inner}], lower_bound={knots[0]!r}, upper_bound={knots[-1]!r})"
    peer = smf.ols(f"logpopul ~ {own} + income + np.log(income) - 1", frame).fit()
    fitted = x @ fit.weight[0] + fit.bias[0]
    np.testing.assert_allclose(fitted, peer.fittedvalues, rtol=1e-9)
    np.testing.assert_allclose(fit.r2[0], 1 - peer.ssr / peer.centered_tss, rtol=1e-9)

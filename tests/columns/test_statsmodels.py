"""Coefficients of encoded columns are those of statsmodels on the same encoding."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from mixed_tables import mixed_plan, mixed_rows

from pipeline.columns.date import DateColumn
from pipeline.exact import least_squares
from pipeline.exact.gram_sums import gram_matrix


@pytest.mark.slow  # importing statsmodels takes seconds
def test_coefficients_and_errors_are_those_of_statsmodels_to_nine_digits() -> None:
    rows = mixed_rows(300)
    plan = mixed_plan(rows)
    x, refused = plan.encode(rows)
    assert not refused.any()
    y = np.array(rows.column("price").to_pylist())
    fit = least_squares.fit(gram_matrix(x, y[:, None]), plan.encoded_names, ("price",))
    assert not fit.dependent

    sold = plan.columns[-1]
    assert isinstance(sold, DateColumn)
    # The encoding anew, with pandas alone: levels, references and fills of the training rows.
    frame = rows.to_pandas()
    district = frame.district.where(
        frame.district.map(frame.district.value_counts()) >= 3, "(rare)"
    )
    month = pd.to_datetime(frame.sold).dt.month
    own = pd.DataFrame(
        {
            "area": frame.area,
            "age": frame.age.fillna(math.fsum(frame.age.dropna()) / frame.age.count()),
            "age[missing]": frame.age.isna() * 1.0,
            "heating[oil]": (frame.heating == "oil") * 1.0,
            "heating[(missing)]": (frame.heating == "") * 1.0,
            "district[south|west]": (district == "south|west") * 1.0,
            "district[(rare)]": (district == "(rare)") * 1.0,
            "sold[days]": (pd.to_datetime(frame.sold) - pd.Timestamp("1970-01-01")).dt.days,
            **{
                f"sold[month={number}]": (month == number) * 1.0
                for part, number in sold.numbers()
                if part == "month"
            },
        }
    )
    assert tuple(own.columns) == plan.encoded_names
    # Days are centred for statsmodels, whose QR of days since 1970 loses digits.
    centre = own["sold[days]"].mean()
    peer = sm.OLS(
        y, sm.add_constant(own.assign(**{"sold[days]": own["sold[days]"] - centre}))
    ).fit()
    names = [*plan.encoded_names]
    np.testing.assert_allclose(fit.weight[0], peer.params[names], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(fit.std_error[0][:-1], peer.bse[names], rtol=1e-9)
    np.testing.assert_allclose(fit.p[0][:-1], peer.pvalues[names], rtol=1e-6)
    np.testing.assert_allclose(fit.r2[0], peer.rsquared, rtol=1e-9)

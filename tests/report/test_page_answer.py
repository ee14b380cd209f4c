"""The verdict is in words and goes by the rows that judge; worries are said first."""

from report_facts import coefficients, some_facts, with_metrics

from pipeline.report import page_answer


def test_the_verdict_compares_with_the_mean() -> None:
    text = page_answer.section(some_facts())
    assert (
        "<strong>Good.</strong> A typical prediction is off by <strong>2</strong> on rows that the"
        " model has never seen; to answer always with the mean would be off by 4."
    ) in text
    assert "explains 75 % of what makes rows differ (R² 0.75)" in text
    assert "None of the usual reasons for worry" in text
    assert 'style="width:50.0%"' in text
    alone = page_answer.section(some_facts(mean_alone={}))
    assert "never seen." in alone
    assert "bars" not in alone


def test_worries_are_said() -> None:
    bad = with_metrics(some_facts(), test={"rmse": 9.0, "mae": 7.0, "r2": -4.0})
    text = page_answer.section(bad)
    assert "<strong>Not better than the mean.</strong>" in text
    assert "should not be used" in text
    assert "part of it was learnt by heart" in text
    own = page_answer.section(some_facts(test_rows=0, training_rows=20))
    assert "<strong>Not tested on new rows.</strong>" in own
    assert "No row was held out" in own
    assert "20 training rows for 11 numbers" in own
    exact = coefficients(some_facts().plan, bias="price = 2·area in every row: a formula")
    assert "price</bdi> is a formula of the features: <code>price = 2·area</code>." in (
        page_answer.section(some_facts(coefficients=exact))
    )
    constant = coefficients(some_facts().plan, bias="price is 5 in every row")
    assert "has one value in every row" in page_answer.section(some_facts(coefficients=constant))

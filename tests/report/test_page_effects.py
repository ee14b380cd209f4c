"""The table of effects: the largest first, levels beside their reference, whose interval it is."""

from mixed_tables import mixed_plan, number_plan
from report_facts import coefficients, some_facts, with_metrics, with_params

from pipeline.report import page_effect_lines, page_effects
from pipeline.report.facts import Facts


def lines(facts: Facts) -> list[tuple[str, str, float | None]]:
    rows = {row["term"]: row for row in facts.coefficients}
    ordered, _ = page_effect_lines.ordered(facts, rows)
    return [(line.term.column, line.term.level, line.effect("value")) for line in ordered]


def test_the_largest_group_is_first_and_a_reference_is_among_its_levels() -> None:
    plan = mixed_plan()
    values = {
        "area": 3.0, "age": 0.5, "age[missing]": -1.0, "heating[oil]": -20.0,
        "heating[(missing)]": 5.0, "district[south|west]": 0.25, "district[(rare)]": -0.25,
        "sold[days]": 0.01, "sold[month=2]": 0.02, "sold[month=3]": -0.01,
    }  # fmt: skip
    rows = [row | {"value": f"{values.get(row['term'], 7.0)}"} for row in coefficients(plan)]
    facts = some_facts(coefficients=rows, deviations={"area": 2.0, "age": 10.0, "sold[days]": 1.0})
    assert lines(facts)[:7] == [
        ("heating", "(missing)", 5.0), ("heating", "gas", 0.0), ("heating", "oil", -20.0),
        ("area", "", 6.0), ("age", "", 5.0), ("age", "", -1.0), ("district", "south|west", 0.25),
    ]  # fmt: skip


def test_what_is_left_out_is_counted() -> None:
    plan = number_plan([f"x{place:02}" for place in range(60)])
    facts = some_facts(plan)
    assert len(lines(facts)) == page_effect_lines.MOST_LINES_SHOWN
    assert lines(facts)[0] == ("x59", "", 120.0)
    assert "20 effects more, all smaller, are in" in page_effects.section(facts)


def test_whose_interval_it_is_is_said() -> None:
    own = page_effects.section(some_facts())
    assert "Where an interval crosses 0" in own
    assert "1 to 3" in own, "two standard deviations of area"
    assert ">least squares, 95 % interval<" not in own
    descent = page_effects.section(with_params(some_facts(), train__optimizer="sgd"))
    assert "the intervals belong to the exact" in descent
    assert ">least squares, 95 % interval<" in descent
    penalized = with_metrics(some_facts(), penalty={"l1": {"price": 1.0}, "l2": {"price": 0.0}})
    assert "shrunk on purpose" in page_effects.section(penalized)


def test_a_bar_has_its_interval_where_its_figures_are() -> None:
    plan = number_plan(["a"])
    facts = some_facts(plan, deviations={"a": 1.0})
    text = page_effects.section(facts)
    assert '<circle cx="130.7" cy="8" r="3.5" class="dot">' in text, "1 of 1.5, at 80 + 76 · 2/3"
    assert '<line x1="105.3" y1="8" x2="156.0" y2="8" class="span">' in text

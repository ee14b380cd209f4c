"""Effects in groups: each level beside its reference, the largest ones first to be drawn."""

import re

import numpy as np
from mixed_tables import mixed_plan, number_plan
from term_plans import plan_of_every_term

from pipeline.pictures import effects
from pipeline.pictures.lettering import width
from pipeline.report import line_terms

PLAN = mixed_plan()
DEVIATIONS = np.arange(1.0, len(PLAN.encoded_names) + 1)


def test_levels_stand_beside_their_reference_and_keep_their_terms() -> None:
    groups = effects.groups(PLAN, DEVIATIONS)
    shown = [[effect.label for effect in group] for group in groups]
    assert sorted(shown) == sorted(
        [
            ["area"],
            ["age", "age: missing"],
            ["heating: gas (reference)", "heating: oil", "heating: (missing)"],
            ["district: north (reference)", "district: south|west", "district: (rare)"],
            ["sold: days"],
            ["sold: month 1 (reference)", "sold: month 2", "sold: month 3"],
        ]
    )
    every = [effect for group in groups for effect in group]
    assert [each.term for each in every if each.term is not None] == [*range(len(DEVIATIONS))]
    by_label = {each.label: each for each in every}
    assert PLAN.encoded_names[by_label["heating: oil"].term or 0] == "heating[oil]"
    assert by_label["heating: oil"].change == 1
    area = by_label["area"]
    assert area.term is not None
    assert area.change == DEVIATIONS[area.term]


def test_the_largest_effects_bring_their_reference_along() -> None:
    groups = effects.groups(PLAN, DEVIATIONS)
    sizes = np.zeros(len(DEVIATIONS))
    sizes[PLAN.encoded_names.index("heating[oil]")] = 3
    sizes[PLAN.encoded_names.index("sold[days]")] = 2
    kept = effects.largest(groups, sizes, 3)
    shown = [[effect.label for effect in group] for group in kept]
    assert shown == [["heating: gas (reference)", "heating: oil"], ["sold: days"]]
    assert effects.largest(groups, sizes, 100) == groups


def test_long_names_keep_both_ends_and_their_level() -> None:
    (number,) = effects.groups(number_plan(["n" * 90 + "end"]), np.ones(1))[0]
    (heating,) = [each for each in PLAN.columns if each.name == "heating"]
    long = heating.model_copy(update={"name": "h" * 100 + "1"})
    labels = effects.groups(PLAN.model_copy(update={"columns": (long,)}), np.ones(2))[0]
    assert re.fullmatch("n+…n+end", number.label)
    assert re.fullmatch("h+…h+1: oil", labels[1].label)
    assert max(width(each.label) for each in (number, labels[1])) <= effects.WIDEST_LABEL


def test_terms_stand_after_the_columns_and_a_spline_beside_its_first_knot() -> None:
    plan = plan_of_every_term()
    deviations = np.arange(1.0, 1 + len(plan.encoded_names))
    lines = [effect for group in effects.groups(plan, deviations) for effect in group]
    terms = [effect.term for effect in lines if effect.term is not None]
    assert terms == [*range(len(plan.encoded_names))]
    by_label = {effect.label: effect for effect in lines}
    assert "area" not in by_label, "it is in terms alone"
    logarithm = plan.encoded_names.index("log(area)")
    assert by_label["log(area)"] == ("log(area)", logarithm, deviations[logarithm])
    assert by_label["roof[steep]:town[west]"].change == 1
    assert by_label["age: 0 (reference)"].term is None
    knot = by_label["age: 21.55"]
    assert plan.encoded_names[knot.term or 0] == "spline(age, 4)[1]"
    assert knot.change == 1


def test_the_report_groups_the_same_terms() -> None:
    plan = plan_of_every_term()
    grouped = [*line_terms.groups(plan)]
    encoded = [term.encoded for group in grouped for term in group if term.encoded]
    assert encoded == [*plan.encoded_names]
    (hours,) = [group for group in grouped if group[0].column == "seen[hour]"]
    assert [term.level for term in hours] == ["6", "10", "15", "19"]
    assert not any(term.column in ("town", "area") for group in grouped for term in group)

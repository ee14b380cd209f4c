"""Effects in groups: each level beside its reference, the largest ones first to be drawn."""

import re

import numpy as np
from mixed_tables import mixed_plan, number_plan

from pipeline.report import effects
from pipeline.report.lettering import width

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

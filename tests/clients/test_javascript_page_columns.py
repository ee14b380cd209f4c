"""The page in a browser, with a model of raw columns: levels, dates, boxes that may be empty."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from javascript_package import SLOW_WITH_NPM, opened, page_of
from raw_column_models import price, write_model

pytestmark = SLOW_WITH_NPM

ROW: dict[str, Any] = {"area": 50.0, "rooms": 3.0, "heating": "gas", "district": "centre"}
NAMES = ["area", "rooms", "heating", "district", "sold"]


@pytest.fixture(scope="module")
def page(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of the page with the model."""
    with page_of(package, write_model(tmp_path_factory.mktemp("raw"))) as address:
        yield address


def shows(tab: Any, right: float) -> None:
    """Wait until the page shows the right answer."""
    tab.wait_for_function(
        "right => Math.abs(document.querySelector('dd').dataset.value - right) < 1e-3", arg=right
    )


def note(tab: Any, name: str) -> str:
    """Return what is said below a field."""
    text: str = tab.inner_text(f"label:has([name={name}]) small")
    return text


def test_a_row_is_filled_in(page: str) -> None:
    said: list[str] = []
    with opened("about:blank") as tab:
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(page)
        tab.wait_for_selector("#badge[data-state=ok]")
        assert tab.inner_text("#badge") == "✓ 6 of 6 golden vectors within their bounds"
        # It starts in the middle of the training rows, where the most frequent levels are chosen.
        assert tab.input_value("[name=sold]") == "1971-02-05"  # a Friday, day 400
        shows(tab, price(ROW | {"sold": 400}))
        assert tab.inner_text("#message") == ""
        assert note(tab, "heating") == "6 of 10 training rows"
        tab.select_option("[name=heating]", label="Wärme")
        tab.fill("[name=sold]", "1970-01-03")
        shows(tab, price(ROW | {"heating": "Wärme", "sold": 2}))
        tab.fill("[name=rooms]", "")
        shows(tab, price(ROW | {"heating": "Wärme", "sold": 2, "rooms": float("nan")}))
        assert tab.inner_text("#message") == ""
        assert note(tab, "rooms") == "trained on 1 to 5; may be empty"
        tab.fill("[name=rooms]", "3")
        tab.select_option("[name=district]", label="– another –")
        shows(tab, price(ROW | {"heating": "Wärme", "sold": 2, "district": "new"}))
        assert note(tab, "district") == "answered as rare: 2 of 10 training rows"
        # The training rows have a district each.
        tab.select_option("[name=district]", label="– no value –")
        shows(tab, price(ROW | {"heating": "Wärme", "sold": 2, "district": ""}))
        assert tab.inner_text("#message") == "Outside of what the model was trained on."
        assert tab.locator("label.outside").inner_text().startswith("district")
    assert said == []


def test_only_what_the_model_answers_can_be_chosen(page: str) -> None:
    with opened(page) as tab:
        tab.wait_for_selector("#badge[data-state=ok]")
        choices = tab.locator("[name=heating] option").all_inner_texts()
        assert choices == ["gas", "oil", "Wärme"]
        assert tab.locator("[name=district] option").all_inner_texts() == [
            "centre",
            "north",
            "– no value –",
            "– another –",
        ]
        for name, typed, message in (
            ("area", "", "area: type a number."),
            ("sold", "", "sold: choose a date."),
            (
                "sold",
                "1970-01-04",
                'sold: found "1970-01-04", weekday 7, which no training row has;'
                " known are 4, 5, 6.",
            ),
        ):
            before = tab.input_value(f"[name={name}]")
            tab.fill(f"[name={name}]", typed)
            tab.wait_for_function(
                "told => document.querySelector('#message').textContent === told", arg=message
            )
            assert tab.inner_text("dd") == "–"
            assert tab.get_attribute(f"[name={name}]", "aria-invalid") == "true"
            tab.fill(f"[name={name}]", before)
            tab.wait_for_selector(f"[name={name}][aria-invalid=false]")


@pytest.mark.parametrize("width", [400, 1000])
def test_each_drawing_fits(page: str, width: int) -> None:
    with opened(page, viewport={"width": width, "height": 800}) as tab:
        tab.wait_for_selector("#badge[data-state=ok]")
        for name in NAMES:
            tab.select_option("#along", label=name)
            tab.wait_for_function(
                "name => [...document.querySelectorAll('#plot text')]"
                ".some(each => each.textContent === name)",
                arg=name,
            )
            levels = {"heating": 3, "district": 4}.get(name, 0)
            assert tab.locator("#plot .here").count() == 1
            assert tab.locator("#plot .level").count() == max(0, levels - 1)
            assert (tab.locator("#plot polyline.fit").count() == 0) is (levels > 0)
            assert tab.locator("#range").is_visible() is (levels == 0)
            # No letter lies outside of the drawing, and no drawing outside of the window.
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            plot = tab.locator("#plot").bounding_box()
            for text in tab.locator("#plot text").all():
                box = text.bounding_box()
                assert box["x"] >= plot["x"] - 1
                assert box["x"] + box["width"] <= plot["x"] + plot["width"] + 1
                assert box["y"] + box["height"] <= plot["y"] + plot["height"] + 1
        # A weekday has a step of its own, and between the known ones there is no line.
        assert tab.locator("#plot polyline.fit").count() > 50
        labels = tab.locator("#plot text").all_text_contents()
        assert any(re.fullmatch(r"19\d\d(-\d\d)?", label) for label in labels)


def test_the_fields_have_names_and_go_by_the_keyboard(page: str) -> None:
    with opened(page) as tab:
        tab.wait_for_selector("#badge[data-state=ok]")
        for name in NAMES:
            assert tab.get_by_label(re.compile(f"^{name}")).first.get_attribute("name") == name
        tab.focus("[name=rooms]")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.name") == "heating"
        tab.keyboard.press("ArrowDown")
        shows(tab, price(ROW | {"heating": "oil", "sold": 400}))
        tab.keyboard.press("Tab")
        tab.keyboard.type("n")
        shows(tab, price(ROW | {"heating": "oil", "district": "north", "sold": 400}))


def test_a_model_of_the_pipeline(package: Path, table_models: Path) -> None:
    with page_of(package, table_models) as address, opened(address) as tab:
        tab.wait_for_selector("#badge[data-state=ok]")
        assert tab.title() == "predict price, rent"
        assert re.fullmatch(r"✓ (\d+) of \1 golden vectors .*", tab.inner_text("#badge"))
        tab.select_option("[name=heating]", label="Wärme 😀")
        tab.select_option("#along", label="heating")
        tab.select_option("#target", label="rent")
        tab.wait_for_selector("#plot .level")
        assert tab.locator("#plot rect.interval").count() == 4
        assert tab.inner_text("#message") == ""
        known = r"95 % prediction interval: \S+ to \S+"
        assert all(re.fullmatch(known, each) for each in tab.locator("dd small").all_inner_texts())

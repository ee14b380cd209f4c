"""Names in any of the large scripts are letters on the plots, and no wider than their place."""

from collections.abc import Iterator

import pytest

from pipeline.pictures import lettering
from pipeline.pictures.lettering import lines, short, undrawn, width

NAMES = ["W" * 40, "家庭平均年收入（万元人民币，含补贴）" * 3, "i" * 300, "Ж" * 60, "a\nb\tc" * 20]


def test_east_asian_names_have_letters() -> None:
    simplified, traditional = "房价（万元）：东京、龙、“门”㎡", "房價（萬圓）龍門"
    assert undrawn(f"{simplified}{traditional}ひらがなカタカナ서울 Цена naïve ΔR² €") == ""
    assert undrawn("price 🏠🏠") == "🏠"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_cut_in_its_middle_to_the_width_that_it_has(name: str) -> None:
    cut = short(name, 100)
    assert width(cut) <= 100 < width(name.replace("\n", " ").replace("\t", " "))
    assert cut.startswith(name[0])
    assert cut.endswith(name[-1])
    assert "…" in cut
    assert width(cut) > 70, "the room is used"
    assert not {"\n", "\t"} & {*cut}


def test_a_name_that_fits_stays() -> None:
    assert short("area") == "area"
    assert short("", 10) == ""


def test_a_title_is_broken_between_its_words() -> None:
    title = "Effect of one standard deviation of each number"
    broken = lines(title, 120)
    assert broken.replace("\n", " ") == title
    assert max(map(width, broken.split("\n"))) <= 120


@pytest.fixture
def no_chinese_font(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Act as if the package with the font were not installed."""
    cached = (lettering.families, lettering._has, lettering._fonts, lettering.width)
    monkeypatch.setattr(lettering, "_east_asian_file", lambda: None)
    for each in cached:
        each.cache_clear()
    yield
    monkeypatch.undo()
    for each in cached:
        each.cache_clear()


def test_without_the_font_a_warning_says_where_it_comes_from(
    no_chinese_font: None, capsys: pytest.CaptureFixture[str]
) -> None:
    lettering.warn_of_boxes(["price", "x"])
    assert not capsys.readouterr().err
    lettering.warn_of_boxes(["房价", "价"])
    message = capsys.readouterr().err
    assert message.startswith("warning: the plots have boxes in place of 房价; `pip install")
    assert width("房价") > 0, "and nothing crashes"


def test_a_sign_that_no_font_has_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    lettering.warn_of_boxes(["🏠 price"])
    assert "in place of 🏠; no font that the pipeline has shows them" in capsys.readouterr().err

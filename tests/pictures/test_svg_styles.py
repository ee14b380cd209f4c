"""A style that is repeated is written once, and each line and letter still has its own."""

from pipeline.pictures import svg_styles

SHEET = "<style>*{stroke-linecap: butt}"


def test_a_repeated_style_becomes_a_class_with_its_clipping() -> None:
    line = '<path d="M0 0" clip-path="url(#b)" style="fill:none;stroke:#888888"/>'
    text = f'{SHEET}</style>{line}{line}<use href="#c" style="fill:#0072b2"/>'
    assert svg_styles.with_classes(text) == (
        f"{SHEET}.a{{fill:none;stroke:#888;clip-path:url(#b)}}</style>"
        '<path d="M0 0" class="a"/><path d="M0 0" class="a"/>'
        '<use href="#c" style="fill:#0072b2"/>'
    )


def test_the_same_style_without_clipping_is_another_one() -> None:
    clipped = '<path clip-path="url(#b)" style="fill:none"/>'
    text = f'{SHEET}</style>{clipped}<path style="fill:none"/>'
    assert svg_styles.with_classes(text) == text


def test_without_a_style_sheet_styles_stay() -> None:
    text = '<path style="fill:none"/>' * 2
    assert svg_styles.with_classes(text) == text


def test_only_groups_that_say_nothing_go() -> None:
    text = '<g><g><path d="M0 0"/></g></g><g transform="scale(2)"><g><use href="#a"/></g></g><g/>'
    kept = '<path d="M0 0"/><g transform="scale(2)"><use href="#a"/></g><g/>'
    assert svg_styles.without_groups(text) == kept

"""Names in Markdown appear as they are."""

from pipeline.report import markdown


def test_names_are_text() -> None:
    assert markdown.text("a`b|c*d_e<f>&amp;") == r"a\`b\|c\*d\_e\<f\>\&amp;"


def test_names_of_files_are_code() -> None:
    assert markdown.code("data/raw/t.csv") == "`data/raw/t.csv`"
    assert markdown.code("data/raw/a`b``c.csv") == "``` data/raw/a`b``c.csv ```"

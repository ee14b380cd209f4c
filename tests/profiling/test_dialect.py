"""How a file is written, found out from its two ends."""

from pathlib import Path

import pytest

from pipeline.profiling import dialect, encoding

ROWS = "a,b,y\n" + "".join(f"{row},{row / 4},{row * row}\n" for row in range(30))


def sniff(text: str, *targets: str) -> dialect.Dialect:
    return dialect.sniff(text, text, targets)


@pytest.mark.parametrize(
    ("mark", "separator"), [(";", ";"), ("\t", "\t"), ("|", "|"), ("  ", "blank")]
)
def test_separators(mark: str, separator: str) -> None:
    assert sniff(ROWS.replace(",", mark)).separator == separator


def test_decimal_commas_do_not_separate() -> None:
    text = ROWS.replace(",", ";").replace(".", ",")
    assert sniff(text).separator == ";"
    without_names = text.partition("\n")[2]
    assert sniff(without_names).separator == ";"


def test_the_usual_separators_need_no_setting() -> None:
    read = sniff(ROWS).read("utf-8")
    assert (read.separator, read.header, read.comment) == ("auto", True, None)
    assert sniff(ROWS.replace(",", " ")).read("utf-8").separator == "blank"


def test_a_title_and_a_footer_are_counted() -> None:
    found_dialect = sniff(f"Sales of 2019\n\n{ROWS}\nSource: us\n")
    assert (found_dialect.skip_lines, found_dialect.footer) == (1, ("Source: us",))


def test_comments_are_no_rows() -> None:
    sniffed = sniff(f"# one\n# two, with, commas\n{ROWS}")
    assert (sniffed.comment, sniffed.comments, sniffed.first) == ("#", 2, ("a", "b", "y"))


def test_names_after_a_hash_are_names() -> None:
    assert sniff(f"#{ROWS}").comment is None


@pytest.mark.parametrize(
    ("first", "header"),
    [
        ("35,29.8,421.2", False),
        ("F,0.35,0.298", False),
        ("a,b,y", True),
        ("country,1990,1991,1992", True),
    ],
)
def test_a_header_is_text(first: str, header: bool) -> None:
    width = first.count(",") + 1
    rows = [["F", *["0.35"] * (width - 1)] for _ in range(5)]
    assert dialect.has_header(first.split(","), rows, ()) is header


def test_a_target_that_is_a_number_of_the_first_row_is_no_name() -> None:
    assert not dialect.has_header(["F", "0.35", "14"], [["M", "0.5", "15"]], ["14"])
    assert dialect.has_header(["1990", "1991", "y"], [["1", "2", "3"]], ["y"])


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("é".encode(), "utf-8"),
        ("é".encode("cp1252"), "cp1252"),
        (b"\xe9 \x81", "latin-1"),
        ("é".encode("utf-16"), "utf-16"),
        ("name,y\n".encode("utf-16-le"), "utf-16-le"),
        ("name,y\n".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_encodings(content: bytes, name: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    assert encoding.of(path) == name


def test_a_byte_far_into_the_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" * 3_000_000 + "é,1\n".encode("cp1252"))
    assert encoding.of(path) == "cp1252"
    head, tail = encoding.ends(path, "cp1252")
    assert head.endswith("\n")
    assert tail.endswith("é,1\n")

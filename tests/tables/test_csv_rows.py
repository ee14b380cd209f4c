"""Rows end where a reader of CSV says they end, whatever quotes and line ends are in them."""

import pytest

from pipeline.tables.csv_rows import Extent, fields_of, first_empty_line, records, whole_rows


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        (b"1,2\n3,4", Extent(4)),
        (b"1,2\n3,4\n", Extent(8)),
        (b"no line end", Extent(0)),
        (b'1,"a\nb"\n3', Extent(8)),
        (b'1,2\n3,"a\nb', Extent(4, unclosed=6)),
        (b'1,5" pipe\n2,6" pipe\n', Extent(20)),
        (b'1,5" pipe\n2,"a\n', Extent(10, unclosed=12)),
        (b'1,"a"b\n2,3\n', Extent(0, broken=(2, 4))),
        (b'1,"a" \t\n', Extent(8)),
        (b'"a ""b"" c"\n', Extent(12)),
    ],
)
def test_whole_rows_end_before_an_open_quote(text: bytes, extent: Extent) -> None:
    assert whole_rows(text, b"\n", ",") == extent


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_records_are_the_text_of_rows(end: bytes) -> None:
    rows = [b"1,a", b'2,"b' + end + b'c"', b' 3 ,"d ""e"""', b"4,"]
    text = end.join([*rows[:2], b"", *rows[2:]]) + end
    assert records(text, ",") == rows
    fields = [["1", "a"], ["2", f"b{end.decode()}c"], [" 3 ", 'd "e"'], ["4", ""]]
    assert list(fields_of(text, ",")) == list(zip((0, 1, 4, 5), fields, strict=True))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (b"1,2\n3,4\n", None),
        (b"\n1,2\n", (0, True)),
        (b"1,2\n\n3,4\n", (1, True)),
        (b"1,2\n\n\n", (1, False)),
        (b'1,"\n\n"\n3,4\n', None),
        (b'1,"\n\n"\n\n3,4\n', (3, True)),
    ],
)
def test_the_first_empty_line_is_not_one_in_quotes(
    text: bytes, place: tuple[int, bool] | None
) -> None:
    assert first_empty_line(text, b"\n", ",") == place
    with_carriage_returns = text.replace(b"\n", b"\r\n")
    assert first_empty_line(with_carriage_returns, b"\n", ",") == place

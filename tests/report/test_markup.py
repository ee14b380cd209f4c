"""What is no markup is escaped, in text and in attributes, and a picture can be nothing else."""

import html
import re
import urllib.parse

import pytest

from pipeline.report import markup


def test_text_and_attributes_are_escaped_once() -> None:
    made = markup.element("p", '<b>&"', markup.element("i", "'"), title='"><script>', id=None)
    assert made == ('<p title="&quot;&gt;&lt;script&gt;">&lt;b&gt;&amp;&quot;<i>&#x27;</i></p>')
    assert markup.join([made, "<"], "&").endswith("</p>&amp;&lt;")
    # Markup is text in an attribute.
    assert markup.element("a", href=markup.name("x")) == ('<a href="&lt;bdi&gt;x&lt;/bdi&gt;"></a>')


def test_a_picture_is_an_image_with_a_text_and_a_size() -> None:
    svg = b'<svg viewBox="0 0 460.8 288"><script>alert(1)</script></svg>'
    made = markup.picture(svg, 'of "x"', "<caption>")
    assert 'alt="of &quot;x&quot;" width="461" height="288"' in made
    assert "<figcaption>&lt;caption&gt;</figcaption>" in made
    match = re.search(r'src="data:image/svg\+xml,([^"]+)"', made)
    assert match is not None
    told = urllib.parse.unquote(match[1]).encode()
    assert told == svg.replace(b'"', b"'"), "scripts in an image do not run"


@pytest.mark.parametrize("inside", ["it's &quot; &lt;b>", '"><script>', "a#b?c%20", "é 面积"])
def test_an_address_ends_where_its_picture_ends(inside: str) -> None:
    svg = f'<svg viewBox="0 0 9 9"><title>{inside}</title></svg>'
    made = markup.picture(svg.encode(), "", "")
    address = html.unescape(made.removeprefix('<figure><img src="').partition('"')[0])
    assert "#" not in address
    told = urllib.parse.unquote(address.partition(",")[2])
    assert told.replace("'", '"') == svg.replace("'", '"')


def test_a_table_has_heads_and_scrolls_in_its_own_box() -> None:
    made = markup.table(["<a>", "b"], [["x", "1"]], numbers=[1])
    assert made.startswith('<div class="scroll" tabindex="0" role="group"><table>')
    assert '<th scope="col">&lt;a&gt;</th><th scope="col" class="num">b</th>' in made
    assert '<th scope="row">x</th><td class="num">1</td>' in made


def test_an_empty_list_is_nothing() -> None:
    assert markup.items([]) == ""
    assert markup.items(["<"]) == "<ul><li>&lt;</li></ul>"

"""YAML is read as DVC reads it, and a hostile text costs one message."""

import datetime
import math
import os
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from dvc.utils.serialize import dumps_yaml, loads_yaml, parse_yaml_for_update
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.settings import params, yaml_file
from pipeline.settings.errors import UserError

AWKWARD = """\
043 010 -043 0o17 -0o17 0o9 09 00 0 -0 +1 0x1F 0x_1F 0xg 0b11 0b2 1:30 12:30 190:20:30 1:30.5
1_000 1_0.5 1__0 7_ _7 123456789012345678901234567890 1,000 1.5.2
1e-06 1E+2 1e5 5.e3 .5e1 .5e+1 +.5e1 5. .5 -.5 +1.5 1e 0.1e 12e03 1e1.5 00.5 1e400
.inf -.inf +.inf .Inf .INF .nan .NaN -.nan inf nan NaN Infinity
yes Yes YES no No NO on On ON off Off OFF y Y n N true True TRUE tRUE false False FALSE t f
null Null NULL nUll ~ none None . .. - -- = << <<x =x 2020-01-01 2020-1-1 2020-13-45 01-02
'NO' "NO" 'on' '043' "1e-06" '12:30' "" ''
""".split()  # noqa: SIM905 - a list of a hundred literals cannot be read


def ours(text: str) -> Any:
    try:
        return yaml_file.read(text, Path("p.yaml"))[0]
    except UserError:
        return "refused"


def dvcs(text: str) -> Any:
    try:
        return loads_yaml(text)
    except Exception:  # ruamel.yaml and Python raise what they like
        return "refused"


def same(one: Any, other: Any) -> bool:
    """Equal, in type too: True is not 1, 1 is not 1.0, nan is nan."""
    return repr(one) == repr(other)


@pytest.mark.parametrize("scalar", AWKWARD)
def test_each_scalar_is_what_it_is_to_dvc(scalar: str) -> None:
    for text in (f"a: {scalar}\n", f"{scalar}: 1\n", f"- {scalar}\n"):
        assert same(ours(text), dvcs(text)), text
    text = f"a: [x, {scalar}]\n"  # where DVC takes no plain 12:30
    assert same(ours(text), dvcs(text)) or (":" in scalar and dvcs(text) == "refused")


@settings(max_examples=500, deadline=None)
@given(st.text("0123456789_.:+-eExobtTrRuUaAlLsSnNyYfFiI~ ", min_size=1, max_size=8))
def test_any_plain_text_is_what_it_is_to_dvc(scalar: str) -> None:
    assert same(ours(f"a: {scalar}\n"), dvcs(f"a: {scalar}\n"))


def test_what_dvc_writes_comes_back() -> None:
    """Names of columns such as NO, on and 12:30, which DVC writes without quotes."""
    names = [name.strip("'\"") for name in AWKWARD]
    value = {"names": names, "numbers": [43, 1e-06, 1e-7, 1e22, 0.1, -0.0, math.inf, None, True]}
    written = dumps_yaml(value)
    assert same(ours(written), value)
    for _ in range(3):  # as `dvc exp run -S` changes a file
        changed = parse_yaml_for_update(written, "p.yaml")
        changed["numbers"][1] = 1e-06
        written = dumps_yaml(changed)
        assert same(ours(written), value)
    day = {"day": datetime.date(2020, 1, 1)}
    assert same(ours(dumps_yaml(day)), day)


def test_columns_can_have_any_name_and_seeds_leading_zeros() -> None:
    text = (ROOT / "params.yaml").read_text().replace("features: [x]", "features: [NO]")
    text = text.replace("targets: [y]", "targets: ['12:30']").replace("seed: 0", "seed: 043")
    asked = params.parse(text)
    assert (asked.data.features, asked.data.targets, asked.seed) == (("NO",), ("12:30",), 43)


def laughs(levels: int, width: int = 9) -> str:
    """Nested aliases: width ** levels values in a few lines."""
    lines = ["l0: &l0 [" + ", ".join(["lol"] * width) + "]"]
    for level in range(1, levels):
        names = ", ".join([f"*l{level - 1}"] * width)
        lines.append(f"l{level}: &l{level} [{names}]")
    return "\n".join(lines) + "\n"


HOSTILE = {
    "aliases": laughs(9),
    "merges": "a: &a {b: 1}\n" + "".join(
        f"m{n}: &m{n}\n  <<: [{', '.join([f'*m{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)
    ),
    "an alias in itself": "seed: &a [*a]",
    "an unknown alias": "seed: *a",
    "open brackets": "n: " + "[" * 100_000,
    "brackets": "n: " + "[" * 50_000 + "]" * 50_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "maps": "{a: " * 50_000,
    "decimal digits": "n: " + "9" * 5000,
    "hexadecimal digits": "n: 0x" + "f" * 5000,
    "a bad integer": "n: !!int foo",
    "an empty integer": "n: !!int",
    "a bad float": "n: !!float foo",
    "a bad boolean": "n: !!bool foo",
    "a bad time": "n: !!timestamp foo",
    "a bad day": "day: 2020-13-45",
    "bad bytes": "n: !!binary x",
    "a bad map": "n: !!map x",
    "a bad list": "n: !!seq x",
    "an object": "n: !!python/object/apply:os.system [id]",
    "an unknown tag": "n: !foo x",
    "a list as key": "? [a, b]\n: 1",
    "a NUL": "seed: 0\nx: \0",
    "half a surrogate": "n: \ud800",
    "another version": "%YAML 2.0\n---\nn: 1",
    "two documents": "n: 1\n---\nn: 2",
    "many values": "- 1\n" * (yaml_file.MOST_VALUES + 1),
    "too much": "# " + "x" * yaml_file.LARGEST_YAML_BYTES,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_one_message(name: str) -> None:
    with pytest.raises(UserError) as caught:
        params.parse(HOSTILE[name])
    told = str(caught.value)
    assert told.startswith("params.yaml:"), told
    assert len(told.splitlines()) == 1, told
    assert len(told) < 300, told


def test_few_aliases_are_fine() -> None:
    text = "one: &one [1, 2]\ntwo: [*one, *one]\nthree: 3\nfour: {<<: {a: *one}, b: 2}\n"
    assert ours(text) == dvcs(text) == {
        "one": [1, 2], "two": [[1, 2], [1, 2]], "three": 3, "four": {"a": [1, 2], "b": 2}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("seed: 0\nx: \0", "params.yaml:2: not valid YAML: control characters are not allowed (U+0000)"),
        ("n: !!int foo", "params.yaml:1: not valid YAML: the value cannot be read as int"),
        ("n: " + "9" * 5000, "params.yaml:1: not valid YAML: a number of 5,000 digits"),
        ("a:\n  b: &b [*b]", "params.yaml:2: found *b inside the value that it repeats"),
        (laughs(9), "params.yaml:6: *l4 and the aliases before it repeat more than 100,000 values; write out what is meant"),
        ("[" * 200, "params.yaml:1: found more than 100 lists or mappings inside each other; close the brackets that are open"),
    ],
    ids=lambda text: text[:12],
)  # fmt: skip
def test_a_message_says_what_is_wrong_and_where(text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        params.parse(text)
    assert str(caught.value) == told


def test_a_thousand_mistakes_are_told_as_twenty() -> None:
    """And a value that is long is cut: nobody would read it."""
    text = (ROOT / "params.yaml").read_text()
    rows = ", ".join(["[" + ", ".join(["[x]"] * 100) + "]"] * 100)
    unknown = "".join(f"unknown_{number}: {'x' * 1000}\n" for number in range(2000))
    for wrong in (text.replace("[[4.0]]", f"[{rows}]"), text + unknown):
        with pytest.raises(UserError) as caught:
            params.parse(wrong)
        first, *rest = str(caught.value).splitlines()
        assert first == "more than 20 mistakes in params.yaml"
        assert len(rest) == 20
        assert max(map(len, rest)) < 200


def test_a_file_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    for content, told in (
        (b"seed: 0 # \xe9\n", "not UTF-8 text (invalid continuation byte at byte 10); save it"),
        ("seed: 0\n".encode("utf-16"), "not UTF-8 text (invalid start byte at byte 0); save it as"),
        (
            b"x" * (yaml_file.LARGEST_YAML_BYTES + 1),
            "larger than 10 MB; keep tables in files under data/raw/",
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"params\.yaml: ") as caught:
            params.load(path)
        assert told in str(caught.value)
    path.write_bytes(b"\xef\xbb\xbf" + (ROOT / "params.yaml").read_bytes())
    assert params.load(path) == params.load(ROOT / "params.yaml"), "a byte order mark is no mistake"
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match="found a folder; must be a file"):
        params.load(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="found a pipe or a device; must be a file"):
        params.load(tmp_path / "pipe")
    with pytest.raises(UserError, match="there is no such file"):
        params.load(tmp_path / "gone")

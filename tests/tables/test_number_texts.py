"""Numbers of a CSV file are correctly rounded, however many digits they have."""

import random
from pathlib import Path

import pyarrow as pa
import pytest
from own_tables import put, refusal, values

from pipeline.tables.number_texts import NumberTexts


def test_numbers_are_correctly_rounded(workspace: Path) -> None:
    draw = random.Random(0)
    texts = ["1e308", "1.7976931348623157e308", "5e-324", "2.4703282292062328e-324", "0.1", "-0.0"]
    texts += [f"{draw.getrandbits(52)}.{draw.getrandbits(70)}" for _ in range(5_000)]
    texts += [repr(draw.gauss(0, 1)) for _ in range(5_000)]
    texts += [
        f"{draw.choice('+-')}0.{draw.getrandbits(60)}e{draw.randint(-330, 300)}"
        for _ in range(10_000)
    ]
    put("x,y\n" + "".join(f"{text},1\n" for text in texts))
    numbers = values()[:, 0]
    assert [x.hex() for x in numbers.tolist()] == [float(text).hex() for text in texts]


def test_fields_of_very_many_digits(workspace: Path) -> None:
    """Each was once a matter of minutes, or of Python's limit of 4,300 digits."""
    digits = "1" * 500_000
    for text in (
        digits + "a",
        digits + ".",
        "1," * 250_000 + "x",
        "1 " * 250_000,
        "\n" * 100_000 + "%",
    ):
        told = refusal(f'x,y\n"{text}",1\n')
        assert "must be a number" in told or "infinite" in told
        assert len(told) < 500
    assert "is infinite" in refusal(f"x,y\n{digits},1\n")
    told = refusal(f"x,y\n{'0' * 5_000}9007199254740993,1\n")
    assert '"x" is 9007199254740993, an integer that float64 cannot represent' in told


@pytest.mark.parametrize(
    ("blocks", "wrong"),
    [
        ([["1.2k", "900"]], [[False, True]]),
        ([["$5.5M", "$3"]], [[False, True]]),
        ([["45 %", "0.45", "0"]], [[False, True, False]]),
        # The unit may come after blocks of bare numbers.
        ([["0.45", "0"], ["45 %", "0"]], [[False, False], [True, False]]),
        ([["0"], ["45 %", "0"]], [[False], [False, False]]),
        ([["70 kg", "71"], ["72", "73 kg"]], [[False, False], [False, False]]),
        ([["$5/kg", "$6/kg"]], [[False, False]]),
        # Less than 5, minus 5, a half: no unit makes 5 of them.
        ([["<5", "(5)", "1/2", "~5", "5*", "12:30"]], [[True] * 6]),
    ],
)
def test_a_unit_is_one_and_does_not_change_the_number(
    blocks: list[list[str]], wrong: list[list[bool]]
) -> None:
    reader = NumberTexts(".", None, ["NA"], units=True)
    assert [reader.read(pa.array(block))[1].tolist() for block in blocks] == wrong

"""Check of the numbers that an ONNX file makes of raw columns: they must be the plan's, exactly.

Those of terms whose last bits depend on the runtime must be as near as LearntTerm.difference says.

The answers do not show this: beside a large term, a wrong fill may move an answer by less than
rounding does.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import onnx

from pipeline.columns.plan import Plan
from pipeline.onnx_model import feed, sessions
from pipeline.onnx_model.check import Check
from pipeline.onnx_model.encoder import REFUSED, X
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Inputs
from pipeline.onnx_model.graph import value

NAME = "numbers that the raw columns become, exactly"


def run(content: bytes, expected: Expected, rows: Mapping[str, Inputs]) -> list[Check]:
    """Compare the numbers of all rows; no check if the file takes a matrix.

    content: the bytes of the ONNX file. rows: by kind.
    """
    if expected.plan is None:
        return []
    try:
        return [_compared(content, expected, expected.plan, rows)]
    except Exception as error:  # a damaged file may raise anything
        return [Check(NAME, f"{type(error).__name__}: {error}".strip())]


def _compared(content: bytes, expected: Expected, plan: Plan, rows: Mapping[str, Inputs]) -> Check:
    prefix, width = expected.prefix("encoder/"), len(plan.encoded_names)
    proto = onnx.load_from_string(content)
    proto.graph.output.append(value(prefix + X, expected.precision, width))
    proto.graph.output.append(value(prefix + REFUSED, "bool", 1))
    session = sessions.opened(proto.SerializeToString())
    count = 0
    for kind, begin, inputs in _blocks(rows, expected.block_rows):
        right = expected.feed(inputs)
        x, refused = session.run([prefix + X, prefix + REFUSED], dict(inputs))
        count += len(x)
        right_refused = right.refused[:, None]
        # NaN is unequal to itself; what a refused row is encoded as does not matter.
        differs = (x != right.x) & ~(np.isnan(x) & np.isnan(right.x))
        if right.differences is not None:
            with np.errstate(invalid="ignore"):
                differs &= ~(np.abs(x - right.x) <= right.differences)
        wrong = (refused != right_refused) | (differs & ~right_refused)
        if wrong.any():
            row, place = divmod(int(wrong.argmax()), width)
            problem = (
                f"row {begin + row} of the {kind}, {plan.encoded_names[place]}: onnx"
                f" {x[row, place]}, must be {right.x[row, place]}; refused: onnx"
                f" {refused[row, 0]}, must be {right.refused[row]}"
            )
            return Check(NAME, problem, count)
    return Check(NAME, None, count)


def _blocks(rows: Mapping[str, Inputs], size: int) -> Iterator[tuple[str, int, Inputs]]:
    """Yield all rows in blocks: the kind of the rows, the place of the first one, and the rows."""
    for kind, inputs in rows.items():
        for begin in range(0, feed.row_count(inputs), size):
            yield kind, begin, feed.chosen(inputs, slice(begin, begin + size))

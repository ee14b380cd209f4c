"""The plan of the columns as an ONNX graph: raw columns in, the numbers of the model out.

The graph has one input a column, of shape [batch]; a gap is NaN, "" or −2⁶³.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import GAP, DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.onnx_model import calendar_graph
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.feed import dtype_of
from pipeline.onnx_model.graph import Graph, value
from pipeline.onnx_model.term_graph import TermGraph

LEAST_OPSET = 19
"""The first operator set that compares texts, with the operator Equal."""

X, REFUSED, INSIDE = "x", "refused", "inside"
"""Outputs, after the prefix: the numbers [batch, encoded]; true where the plan refuses a value of
the row, and true where every value is like the training rows': [batch, 1]."""


@dataclass
class _Encoded:
    """Values of the graph, and the numbers in the order in which they come."""

    ranges: bool
    """True if `inside` is asked for."""
    places: list[tuple[str, int]] = field(default_factory=list)
    """The column of each number, and its place among the column's numbers."""
    numbers: list[str] = field(default_factory=list)
    """[batch, n], in the graph's dtype."""
    refused: list[str] = field(default_factory=list)
    """[batch, n] of truth values: a row is refused if any is true."""
    inside: list[str] = field(default_factory=list)
    """[batch, n] of truth values: a row is in range if all are true."""


def encoder(plan: Plan, dtype: Float, opset: int, prefix: str, ranges: bool) -> ModelProto:
    """Return the model from the raw columns to X, REFUSED and, if `ranges`, INSIDE (see there).

    prefix: see Graph; no column's name may begin with it.
    """
    graph, encoded = Graph(prefix, dtype), _Encoded(ranges)
    numbers = [column for column in plan.columns if isinstance(column, NumberColumn)]
    if numbers:
        _numbers(graph, numbers, encoded)
    for column in plan.columns:
        graph.of_column(column.name)
        if isinstance(column, CategoryColumn):
            _category(graph, column, encoded)
        elif isinstance(column, DateColumn):
            _date(graph, column, encoded)
    graph.of_column("row")
    x = _x(graph, plan, encoded)
    if not encoded.refused:
        encoded.refused.append(_never(graph, plan.columns[0].name))
    refused = graph.any_of(graph.cast(graph.side_by_side(encoded.refused)))
    graph.node("Identity", x, output=prefix + X)
    graph.node("Identity", refused, output=prefix + REFUSED)
    outputs = [
        value(prefix + X, dtype, len(plan.encoded_names)),
        value(prefix + REFUSED, "bool", 1),
    ]
    if ranges:
        inside = graph.all_of(graph.cast(graph.side_by_side(encoded.inside)))
        # A month that the plan refuses may lie between the first date and the last one.
        graph.node("And", inside, graph.node("Not", refused), output=prefix + INSIDE)
        outputs.append(value(prefix + INSIDE, "bool", 1))
    inputs = [value(column.name, dtype_of(column, dtype)) for column in plan.columns]
    return graph.model(inputs, outputs, opset)


def _x(graph: Graph, plan: Plan, encoded: _Encoded) -> str:
    """Add the numbers of the model, in order: of the columns, then of the terms."""
    places = {place: index for index, place in enumerate(encoded.places)}
    order = [places[each.name, n] for each in plan.columns for n in plan.places_in_model(each)]
    numbers = graph.side_by_side(encoded.numbers)
    own = [graph.chosen(numbers, order, len(places))] if order else []
    if not plan.terms:
        return own[0]
    added = TermGraph(graph, plan, graph.cast(numbers, "float64"), places)
    terms = added.add()
    graph.of_column("terms")
    # 0 · ∞ is NaN as well: a term without a finite value refuses the row.
    encoded.refused.append(graph.node("IsNaN", graph.node("Mul", terms, graph.doubles(0.0))))
    encoded.inside += added.inside
    return graph.side_by_side([*own, graph.cast(terms)])


def _numbers(graph: Graph, columns: Sequence[NumberColumn], encoded: _Encoded) -> None:
    """Add all columns of numbers: together, because a node costs a microsecond a row."""
    graph.of_column("numbers")
    raw = graph.side_by_side([_column(graph, column.name) for column in columns])
    gaps = graph.node("IsNaN", raw)
    filled = raw
    fills = [[np.nan if column.fill is None else column.fill for column in columns]]
    if not np.isnan(fills).all():
        filled = graph.node("Where", gaps, graph.numbers(fills), raw)
    encoded.places += [(column.name, 0) for column in columns]
    encoded.numbers.append(filled)
    indicators = [place for place, column in enumerate(columns) if column.indicator]
    if indicators:
        encoded.places += [(columns[place].name, 1) for place in indicators]
        encoded.numbers.append(graph.cast(graph.chosen(gaps, indicators, len(columns))))
    # NaN where a gap is refused: its fill is NaN.
    encoded.refused.append(graph.node("IsNaN", filled))
    if encoded.ranges:
        encoded.inside.append(_inside(graph, columns, raw, gaps))


def _inside(graph: Graph, columns: Sequence[NumberColumn], raw: str, gaps: str) -> str:
    limits = [graph.numbers([[getattr(each, end) for each in columns]]) for end in ("min", "max")]
    inside = graph.node(
        "And",
        graph.node("GreaterOrEqual", raw, limits[0]),
        graph.node("LessOrEqual", raw, limits[1]),
    )
    known_gaps = [[each.fill is not None and each.missing_rows > 0 for each in columns]]
    if any(known_gaps[0]):
        known = graph.node("And", gaps, graph.flags(known_gaps))
        inside = graph.node("Or", inside, known)
    return inside


def _category(graph: Graph, column: CategoryColumn, encoded: _Encoded) -> None:
    texts = _column(graph, column.name)
    gap = graph.node("Equal", texts, graph.texts([""]))
    flags = []
    if column.levels:
        levels = graph.texts([level.name for level in column.levels])
        flags.append(graph.node("Equal", texts, levels))
    rows = [level.rows for level in column.levels]
    if column.has_missing:
        flags.append(gap)
        rows.append(column.missing_rows)
    if column.unseen == "rare":
        known = [*flags] if column.has_missing else [*flags, gap]
        any_known = graph.any_of(graph.cast(graph.side_by_side(known)))
        flags.append(graph.node("Not", any_known))
        rows.append(column.rare_rows)
    numbers = graph.cast(graph.side_by_side(flags))
    levels_with_numbers = [
        place for place, level in enumerate(column.all_levels) if level != column.reference
    ]
    if levels_with_numbers:
        encoded.places += [(column.name, n) for n in range(len(levels_with_numbers))]
        encoded.numbers.append(graph.chosen(numbers, levels_with_numbers, len(rows)))
    if column.unseen == "refuse":
        encoded.refused.append(graph.node("Not", graph.any_of(numbers)))
    elif not column.has_missing:
        encoded.refused.append(gap)
    if encoded.ranges:
        in_training = [place for place, count in enumerate(rows) if count]
        encoded.inside.append(graph.any_of(graph.chosen(numbers, in_training, len(rows))))


def _date(graph: Graph, column: DateColumn, encoded: _Encoded) -> None:
    moments = _column(graph, column.name)
    gap = graph.node("Equal", moments, graph.integers(GAP))
    encoded.refused.append(gap)
    known = graph.node("Where", gap, graph.integers(0), moments)
    for part, integers in calendar_graph.parts(graph, column, known).items():
        if part not in column.levels:
            # By way of float64, as the training rows are read.
            encoded.numbers.append(graph.cast(graph.cast(integers, "float64")))
            continue
        levels = column.levels[part]
        flags = graph.cast(graph.node("Equal", integers, graph.integers([levels])))
        encoded.refused.append(graph.node("Not", graph.any_of(flags)))
        chosen = [index for index, each in enumerate(levels) if each != column.references[part]]
        if chosen:
            encoded.numbers.append(graph.chosen(flags, chosen, len(levels)))
    encoded.places += [(column.name, n) for n in range(len(column.encoded_names))]
    if encoded.ranges:
        encoded.inside += [
            graph.node("GreaterOrEqual", moments, graph.integers(column.min)),
            graph.node("LessOrEqual", moments, graph.integers(column.max)),
        ]


def _never(graph: Graph, text: str) -> str:
    """Add false for each row of a column of texts: no plan without texts answers every row."""
    column = _column(graph, text)
    return graph.node("Not", graph.node("Equal", column, column))


def _column(graph: Graph, name: str) -> str:
    """Add a raw column as [batch, 1]."""
    return graph.node("Unsqueeze", name, graph.integers([1]))

"""The terms of a plan as an ONNX graph: float64 in the graph, whatever the precision of the model.

Each node is an operation of the plan's own arithmetic, so that the numbers have the same bits, but
for logarithms and for powers above 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.columns.operands import Operand
from pipeline.columns.plan import Plan
from pipeline.columns.term import AnyTerm, FunctionTerm, PowerTerm, ProductTerm, SplineTerm
from pipeline.exact import natural_spline
from pipeline.onnx_model.graph import Graph

Places = Mapping[tuple[str, int], int]
"""Where the numbers of the columns are, by the column's name and the place among its numbers."""


@dataclass
class TermGraph:
    """The terms of a plan. numbers: all encoded numbers of the columns, [batch, n], float64."""

    graph: Graph
    plan: Plan
    numbers: str
    places: Places
    inside: list[str] = field(default_factory=list)
    """[batch, 1] of truth values: a row is in range if all are true, and its columns are."""

    def add(self) -> str:
        """Add all terms: [batch, numbers], float64."""
        return self.graph.side_by_side([self._term(term) for term in self.plan.terms])

    def _term(self, term: AnyTerm) -> str:
        """Add the numbers of a term: [batch, n]."""
        graph = self.graph
        graph.of_column(term.name)
        if isinstance(term, ProductTerm):
            return self._product(term)
        value = self._operand(term.of)
        if isinstance(term, FunctionTerm):
            return graph.node({"log": "Log", "sqrt": "Sqrt"}[term.kind], value)
        if isinstance(term, PowerTerm):
            power = value
            for _ in range(term.exponent - 1):
                power = graph.node("Mul", power, value)
            return power
        return self._spline(term, value)

    def _operand(self, operand: Operand) -> str:
        """Add the numbers of a feature: [batch, columns]."""
        graph, column = self.graph, self.plan.column(operand.column)
        places = [self.places[operand.column, place] for place in operand.places(column)]
        own = graph.chosen(self.numbers, places, len(self.places)) if places else ""
        if not operand.with_reference:
            return own
        reference = [*operand.levels(column).values()].index(None)
        if not places:  # a category of one level
            first = graph.chosen(self.numbers, [0], len(self.places))
            return graph.cast(graph.node("Equal", first, first), "float64")
        total = graph.node("ReduceSum", own, graph.integers([1]), keepdims=1)
        number = graph.node("Sub", graph.doubles(1.0), total)
        before = graph.chosen(own, [*range(reference)], len(places)) if reference else ""
        behind_places = [*range(reference, len(places))]
        behind = graph.chosen(own, behind_places, len(places)) if behind_places else ""
        return graph.side_by_side([each for each in (before, number, behind) if each])

    def _product(self, term: ProductTerm) -> str:
        """Add the products: of each number of the first feature with all of the second one."""
        graph = self.graph
        left, right = (self._operand(each) for each in term.of)
        widths = [len(each.levels(self.plan.column(each.column))) for each in term.of]
        products = [
            graph.node("Mul", graph.chosen(left, [place], widths[0]), right)
            for place in range(widths[0])
        ]
        width = widths[0] * widths[1]
        kept = [place for place in range(width) if place != term.left_out]
        return graph.chosen(graph.side_by_side(products), kept, width)

    def _spline(self, term: SplineTerm, value: str) -> str:
        """Add the columns of a spline: see natural_spline.basis."""
        graph, pieces = self.graph, natural_spline.pieces_of(term.knots)
        passed = graph.cast(
            graph.node("GreaterOrEqual", value, graph.doubles([term.knots])), "int64"
        )
        piece = graph.node("ReduceSum", passed, graph.integers([1]), keepdims=0)
        origin, width = (
            graph.node("Gather", graph.doubles(each[:, None]), piece, axis=0)
            for each in (pieces.origin, pieces.width)
        )
        w = graph.node("Div", graph.node("Sub", value, origin), width)
        result, *others = (
            graph.node("Gather", graph.doubles(each), piece, axis=0) for each in pieces.coefficients
        )
        for coefficient in others:
            result = graph.node("Add", graph.node("Mul", result, w), coefficient)
        if term.of.part is not None:
            ends = graph.doubles(term.knots[0]), graph.doubles(term.knots[-1])
            self.inside += [
                graph.node("GreaterOrEqual", value, ends[0]),
                graph.node("LessOrEqual", value, ends[1]),
            ]
        return result

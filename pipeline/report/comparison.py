"""Comparison of two results: what differs, their metrics, and whether one of them is better.

The page is written for the terminal and as Markdown from the same values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.measures.paired_difference import FEW_ROWS, PairedDifference
from pipeline.measures.row_errors import ALL_TARGETS
from pipeline.report import markdown
from pipeline.settings.messages import count
from pipeline.settings.terminal import visible

MARK = "AB"
PARTS = ("test", "cv", "train", "prediction")
"""First parts of metrics' names, in the order of the page; others follow."""

MEANINGS = {
    "reference": "the least-squares solution without rounding error, for the same training rows",
    "reference.gap": "how far the model's loss is above the reference's; a penalty makes it larger"
    " on purpose",
    "penalty": "how strongly the weights are held small; it has no better or worse",
}
"""Of metrics, by the beginning of their names."""


@dataclass(frozen=True)
class Comparison:
    """Two results side by side.

    labels: of the first and of the other one. differences: texts by their subject; a subject
    without texts is equal. metrics: of each. paired: the paired difference for each target; empty
    with the reason in `not_paired`. notes: sentences that qualify the comparison. in_folds: the
    paired difference in cross-validation for each target; empty if their folds are not the same.
    """

    labels: tuple[str, str]
    differences: Mapping[str, Sequence[str]]
    metrics: tuple[Mapping[str, float], Mapping[str, float]]
    paired: Mapping[str, PairedDifference]
    not_paired: str = ""
    notes: Sequence[str] = ()
    in_folds: Mapping[str, PairedDifference] = field(default_factory=dict)


def verdicts(comparison: Comparison) -> list[str]:
    """Return a sentence for the held-out rows, and one for the folds if they can be compared."""
    texts = []
    if comparison.paired:
        difference = comparison.paired[ALL_TARGETS]
        texts = [_verdict(difference, f"the same {count(difference.pairs, 'held-out row', ',')}")]
    if comparison.in_folds:
        difference = comparison.in_folds[ALL_TARGETS]
        told = _verdict(difference, f"the same {difference.pairs} folds of the training rows")
        texts.append(f"Cross-validation. {told}")
    if not comparison.paired:
        alone = "The folds alone say which answers new rows better. " * bool(comparison.in_folds)
        texts.append(f"{alone}No paired comparison on held-out rows: {comparison.not_paired}.")
    return texts


def _verdict(difference: PairedDifference, rows: str) -> str:
    """Return one sentence: one of the two is better, or the difference may be noise."""
    if difference.low is None or difference.high is None:
        return f"Nobody can say which is better from {rows}."
    if difference.low == difference.high == 0:
        return f"No difference: on {rows} both have the same squared errors."
    sizes = [_size(difference.low), _size(difference.high)]
    if difference.mean > 0:
        sizes.reverse()
    if difference.is_noise:
        return (
            f"It may be noise: on {rows} B's mean squared error is {_size(difference.mean)} than"
            f" A's{_share(difference)}, and the 95 % interval reaches from {sizes[0]} to"
            f" {sizes[1]}."
        )
    better, worse, sign = ("B", "A", 1) if difference.mean < 0 else ("A", "B", -1)
    ends = sorted(abs(end) for end in (difference.low, difference.high))
    mean = sign * difference.mean
    return (
        f"{better} is better: on {rows} its mean squared error is {_size(mean)} than {worse}'s"
        f"{_share(difference)}, and the 95 % interval, {ends[0]:.4g} to {ends[1]:.4g} smaller, does"
        " not reach 0."
    )


def _size(difference: float) -> str:
    return f"{abs(difference):.4g} {'smaller' if difference < 0 else 'larger'}"


def _share(difference: PairedDifference) -> str:
    """Return the difference as a share of the error it is compared with: of the worse one's."""
    base = difference.other if difference.mean > 0 and not difference.is_noise else difference.first
    return f" ({100 * abs(difference.mean) / base:.3g} %)" if base else ""


def metric_rows(comparison: Comparison) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """Return name, value of A, of B, and B − A of each metric that differs; and the equal ones."""
    first, other = comparison.metrics
    rows, equal = [], []
    for name in sorted({*first, *other}, key=_order):
        before, after = first.get(name), other.get(name)
        if before == after:
            equal.append(name)
            continue
        change = f"{after - before:+.4g}" if before is not None and after is not None else ""
        values = ("" if each is None else f"{each:.6g}" for each in (before, after))
        rows.append((name, *values, change))
    return [(row[0], row[1], row[2], row[3]) for row in rows], equal


def _order(metric: str) -> tuple[int, str]:
    """Return the place of a metric: held-out errors first, the reference last."""
    part = metric.partition(".")[0]
    return PARTS.index(part) if part in PARTS else len(PARTS), metric


def paired_tables(comparison: Comparison) -> Iterator[list[tuple[str, str, str, str, str]]]:
    """Yield tables of squared errors, the header first: of held-out rows, and of folds."""
    tables = {"held-out": comparison.paired, "cross-validated": comparison.in_folds}
    for kind, paired in tables.items():
        if paired:
            yield [
                (f"{kind} squared error", "A", "B", "B − A", "95 % interval"),
                *paired_rows(paired),
            ]


def paired_rows(paired: Mapping[str, PairedDifference]) -> list[tuple[str, str, str, str, str]]:
    """Return for each target: name, mean squared error of A and of B, B − A, its interval."""
    rows = []
    alone = len(paired) <= 2  # of one target the mean over all is the same
    for target, each in paired.items():
        if target == ALL_TARGETS and alone:
            continue
        interval = "" if each.low is None else f"{each.low:+.4g} to {each.high:+.4g}"
        errors = (f"{each.first:.6g}", f"{each.other:.6g}", f"{each.mean:+.4g}")
        rows.append((target or "all targets", *errors, interval))
    return rows


def notes(comparison: Comparison) -> list[str]:
    """Return sentences that qualify the comparison."""
    difference = comparison.paired.get(ALL_TARGETS)
    few = difference is not None and 1 < difference.pairs < FEW_ROWS
    return [
        *comparison.notes,
        *[f"With fewer than {FEW_ROWS} held-out rows the interval is rough."] * few,
        *_meanings(comparison),
    ]


def _meanings(comparison: Comparison) -> Iterator[str]:
    """Yield what the less usual names among the metrics that differ stand for."""
    names = [name for name, *_ in metric_rows(comparison)[0]]
    for begin, meaning in MEANINGS.items():
        if any(name == begin or name.startswith(f"{begin}.") for name in names):
            yield f"{begin}: {meaning}."


def as_text(comparison: Comparison) -> str:
    """Return the comparison for the terminal."""
    lines = [f"{mark}  {label}" for mark, label in zip(MARK, comparison.labels, strict=True)]
    lines.append("")
    for subject, texts in comparison.differences.items():
        for number, text in enumerate(texts or ["the same"]):
            lines.append(f"{'' if number else subject:<10} {text}")
    rows, equal = metric_rows(comparison)
    lines += ["", *_aligned([("metric", "A", "B", "B − A"), *rows])] if rows else []
    if equal:
        lines += ["", f"equal in both: {', '.join(equal)}"]
    for paired in paired_tables(comparison):
        lines += ["", *_aligned(paired)]
    return "\n".join([*lines, "", *verdicts(comparison), *notes(comparison)])


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *values in rows:
        cells = [f"{value:>{width}}" for value, width in zip(values, widths[1:], strict=True)]
        yield "  ".join([f"{name:<{widths[0]}}", *cells]).rstrip()


def page(comparisons: Sequence[Comparison]) -> str:
    """Return the content of reports/comparison.md."""
    return visible("\n".join(["# Comparison", "", *map(as_markdown, comparisons)]))


def as_markdown(comparison: Comparison) -> str:
    """Return the comparison as a section of a Markdown file."""
    first, other = map(markdown.text, comparison.labels)
    lines = [f"## B, {other}, beside A, {first}", ""]
    lines += [f"**{markdown.text(text)}**\n" for text in verdicts(comparison)]
    lines += [*[f"{note}\n" for note in map(markdown.text, notes(comparison))]]
    lines += markdown.table(
        ("", "from A to B"),
        (
            (subject, "<br>".join(map(markdown.text, texts)) or "the same")
            for subject, texts in comparison.differences.items()
        ),
    )
    for header, *paired in paired_tables(comparison):
        lines += ["", *_escaped_table(header, paired)]
    rows, equal = metric_rows(comparison)
    if rows:
        lines += ["", *_escaped_table(("metric", "A", "B", "B − A"), rows)]
    if equal:
        lines += ["", f"Equal in both: {', '.join(map(markdown.code, equal))}."]
    return "\n".join([*lines, ""])


def _escaped_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    return markdown.table(header, ((markdown.text(name), *values) for name, *values in rows))

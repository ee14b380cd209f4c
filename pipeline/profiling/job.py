"""The text of params.yaml with a proposal in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.profiling.choices import Choice
from pipeline.profiling.proposal import Proposal, settings_text
from pipeline.profiling.yaml_text import WIDTH, entry, replaced
from pipeline.settings import params
from pipeline.settings.params import Params
from pipeline.settings.yaml_file import Key
from pipeline.settings.yaml_values import flow, text

MOST_IN_ONE_LINE = 5
Edit = tuple[Key, str | list[str]]


def written(document: str, source: str, proposal: Proposal, query: Mapping[str, Any] | None) -> str:
    """Return the text of params.yaml with the proposal; all other values and comments are kept.

    document: of a valid params.yaml. source: the table, under data/raw/.
    Raises UserError if the result is no valid job.
    """
    before = params.parse(document)
    for key, new in edits(before, source, proposal, query):
        document = replaced(document, key, new)
    params.parse(document)
    return document


def edits(
    before: Params, source: str, proposal: Proposal, query: Mapping[str, Any] | None
) -> Iterator[Edit]:
    """Yield the keys that get another value, and the values. before: the job as it is."""
    yield ("data", "source"), text(source)
    for name in type(proposal.read).model_fields:
        new = getattr(proposal.read, name)
        if new != getattr(before.data.read, name):
            yield ("data", "read", name), _wrapped(name, new, proposal.read_notes.get(name, ""))
    yield ("data", "features"), features(proposal)
    if before.data.terms:  # of the columns of another table
        yield ("data", "terms"), "[]"
    yield ("data", "exclude"), _excluded_value(proposal)
    yield ("data", "targets"), flow(proposal.targets)
    yield ("data", "drop_rows"), "missing_target" if proposal.drop_rows else "null"
    if proposal.fraction != before.data.test_fraction.share:
        yield ("data", "test_fraction"), flow(proposal.fraction)
    # Settings that the closed form does not have.
    for name, none in (
        ("optimizer", "exact"),
        ("momentum", 0.0),
        ("dampening", 0.0),
        ("nesterov", False),
        ("weight_decay", 0.0),
        ("batch_size", None),
        ("patience", None),
    ):
        if getattr(before.train, name) != none:
            yield ("train", name), flow(none)
    yield ("evaluate", "queries"), _queries(query)


def features(proposal: Proposal) -> list[str]:
    """Return the lines of data.features."""
    lines = []
    for name, choice in proposal.features.items():
        assert choice.settings is not None
        lines += entry(f"    {text(name)}: {flow(settings_text(choice.settings))}", choice.why)
    return lines


def _excluded_value(proposal: Proposal) -> str | list[str]:
    return excluded(proposal.excluded) or "[]"


def excluded(left_out: list[Choice]) -> list[str]:
    """Return the lines of data.exclude; [] if no column is left out."""
    lines = []
    for choice in left_out:
        lines += entry(f"    - {text(choice.name)}", choice.why)
    return lines


def _queries(query: Mapping[str, Any] | None) -> str | list[str]:
    if query is None:
        return "[]"
    if len(query) <= MOST_IN_ONE_LINE and len(flow(query)) < WIDTH - 10:
        return entry(f"    - {flow(query)}", "a row of the table")
    lines = [f"{text(name)}: {flow(item)}" for name, item in query.items()]
    return [f"    {'- ' if not index else '  '}{line}" for index, line in enumerate(lines)]


def _wrapped(name: str, new: Any, why: str) -> str | list[str]:
    """Return a setting of data.read: in one line, or a long list in several. why: a comment."""
    line = flow(new)
    if name != "missing" or len(line) < WIDTH - 20:
        return entry(f"      {line}", why) if why else line
    *above, line = entry("      [" + " " * WIDTH, why) if why else ["      ["]
    lines, indent = [*above, line.rstrip()], " " * 7
    for item in new:
        part = flow(item) + ", "
        if len(lines[-1] + part) > WIDTH:
            lines[-1] = lines[-1].rstrip()
            lines.append(indent)
        lines[-1] += part
    lines[-1] = lines[-1].removesuffix(", ") + "]"
    return lines

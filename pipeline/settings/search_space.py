"""What a sweep may vary: the ranges of a command line, checked against params.yaml."""

import itertools
import re
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pipeline.settings import contradictions, messages, params, ranges, yaml_file
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.ranges import Range, Span

NO_FIGURE = ("evaluate", "export", "report", "tracking", "train.checkpoint_seconds")
"""Sections and keys that change no figure by which configurations are compared."""

Values = tuple[Any, ...]


@dataclass(frozen=True)
class SearchSpace:
    """The keys that vary and the values that each may have.

    document: params.yaml as a value. whole: the keys of ranges whose numbers are integers.
    """

    document: Any
    ranges: tuple[Range, ...]
    whole: frozenset[str]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that vary."""
        return tuple(each.key for each in self.ranges)

    @property
    def seed(self) -> int:
        """The seed of the job."""
        return int(self.document["seed"])

    def grid(self) -> Iterator[Values]:
        """Return every combination of the values."""
        grids = (each.grid(whole=each.key in self.whole) for each in self.ranges)
        return itertools.product(*grids)

    def job(self, values: Values) -> tuple[Params, str]:
        """Return params.yaml with these values, and how they contradict each other, or ""."""
        document = self.document
        for key, value in zip(self.keys, values, strict=True):
            document = _with(document, key, value)
        job = Params.model_validate(document)
        mistake = next(contradictions.of(job), None)
        return job, f"{messages.dotted(mistake[0])}: {mistake[1]}" if mistake else ""


def read(document: str, arguments: Sequence[str], *, are_drawn: bool) -> SearchSpace:
    """Return the space that the arguments, such as train.lr=0.1,0.2, span.

    document: the text of a valid params.yaml. are_drawn: see ranges.read.
    Raises UserError with all mistakes of one kind: arguments that are no ranges, keys that cannot
    be swept. Whether a key takes its values: check_values.
    """
    base = yaml_file.read(document, params.PATH)[0]
    all_ranges = ranges.read([*arguments], are_drawn=are_drawn)
    if not all_ranges:
        raise UserError("no ranges; name at least one, e.g. train.lr=log:1e-4..1e-1:16")
    ranges.refuse([text for each in all_ranges for text in _wrong_key(base, each)])
    whole = frozenset(each.key for each in all_ranges if _is_whole(each.key))
    return SearchSpace(base, tuple(all_ranges), whole)


def check_values(space: SearchSpace) -> None:
    """Raise UserError with every value that its key does not take; of a span with the first one."""
    ranges.refuse(
        [text for each in space.ranges for text in _wrong_values(space.document, each, space.whole)]
    )


def is_without_figure(key: str) -> bool:
    """True if a key changes no figure of the model."""
    return key in NO_FIGURE or key.partition(".")[0] in NO_FIGURE


def counted(contradictions: Iterable[str]) -> dict[str, int]:
    """Return how many there are of each kind, by the first of its texts: numbers may differ."""
    first: dict[str, str] = {}
    count: dict[str, int] = {}
    for text in contradictions:
        text = first.setdefault(re.sub(r"[-+.0-9]+(e[-+0-9]+)?", "#", text), text)
        count[text] = count.get(text, 0) + 1
    return count


def _wrong_key(base: Any, swept: Range) -> Iterator[str]:
    """Yield what is wrong with the key of a range, at most one text."""
    key, section = swept.key, swept.key.partition(".")[0]
    fields = params.flatten(Params.model_validate(base))
    inner = next((field for field in fields if field.startswith(f"{key}.")), None)
    if inner is not None:
        yield f"{key}: a section; name one of its keys, such as {inner}"
    elif key not in fields:
        near = [text for _, text in _mistakes(base, key, None) if "no such key" in text]
        yield f"{key}: {(near or ['no such key'])[0]}"
    elif key == "seed" or section == "data":
        values = "VALUE,VALUE" if isinstance(swept.values, Span) else swept.text
        yield (
            f"{key}: it changes the data that `generate` writes, and a sweep trains on the data"
            f" that is there; `dvc exp run --queue -S '{key}={values}'` and `dvc queue start` run"
            " the whole pipeline for each value"
        )
    elif is_without_figure(key):
        yield f"{key}: it changes no figure of the model, so there is nothing to compare"


def _wrong_values(base: Any, swept: Range, whole: frozenset[str]) -> Iterator[str]:
    """Yield the values that a key does not take; of a span the first one."""
    values: Sequence[Any]
    if isinstance(swept.values, Span):
        values = swept.ends(whole=swept.key in whole)
    else:
        values = swept.values
    texts = [
        f"{swept.key}: {text}" for value in values for _, text in _mistakes(base, swept.key, value)
    ]
    yield from texts[:1] if isinstance(swept.values, Span) else dict.fromkeys(texts)


def _mistakes(base: Any, key: str, value: Any) -> list[tuple[yaml_file.Key, str]]:
    """Return the mistakes of params.yaml with another value of one key."""
    document = _with(base, key, value)
    try:
        Params.model_validate(document)
    except ValidationError as error:
        return [*messages.problems(error, Params, document)]
    return []


def _with(document: Any, key: str, value: Any) -> Any:
    """Return a document with another value of a dotted key."""
    first, _, rest = key.partition(".")
    inner = document.get(first) if isinstance(document, dict) else None
    return {
        **(document if isinstance(document, dict) else {}),
        first: _with(inner, rest, value) if rest else value,
    }


def _is_whole(key: str) -> bool:
    """True if the numbers of a key are integers."""
    annotation: Any = Params
    for part in key.split("."):
        annotation = annotation.model_fields[part].annotation
    kinds = {*_types(annotation)}
    return int in kinds and float not in kinds


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _types(part)

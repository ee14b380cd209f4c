"""The configurations of a sweep: every combination of the values of its ranges, or random ones.

Each is a whole params.yaml, checked as the file is.
"""

import itertools
import math
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.settings import contradictions, messages, params, ranges, seeds, yaml_file
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.ranges import Range, Span

MOST_CONFIGURATIONS = 10_000
"""In one sweep: their runs take minutes to write."""

NO_FIGURE = ("evaluate", "export", "tracking", "train.checkpoint_seconds")
"""Sections and keys that change no figure by which configurations are compared."""

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Configurations:
    """What a sweep tries.

    keys: the keys that vary. values: one tuple for each configuration. params: the same, whole.
    left_out: the contradictions for which combinations were left out, with their numbers.
    """

    keys: tuple[str, ...]
    values: tuple[Values, ...]
    params: tuple[Params, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def settings(self, index: int) -> dict[str, Any]:
        """Return the keys that vary with the values of one configuration."""
        return dict(zip(self.keys, self.values[index], strict=True))


def of(document: str, arguments: Sequence[str], random: int | None) -> Configurations:
    """Return the configurations of a sweep.

    document: the text of a valid params.yaml. arguments: such as train.lr=0.1,0.2. random: number
    of configurations to draw by the seed; None for every combination.
    Raises UserError with all mistakes of one kind: arguments that are no ranges, keys that cannot
    be swept, values that a key does not take, too many configurations.
    """
    if random is not None and not 1 <= random <= MOST_CONFIGURATIONS:
        raise UserError(f"--random: found {random}; must be from 1 to {MOST_CONFIGURATIONS:,}")
    base = yaml_file.read(document, params.PATH)[0]
    all_ranges = ranges.read([*arguments], are_drawn=random is not None)
    if not all_ranges:
        raise UserError("no ranges; name at least one, e.g. train.lr=log:1e-4..1e-1:16")
    ranges.refuse([text for each in all_ranges for text in _wrong_key(base, each)])
    whole = {each.key for each in all_ranges if _is_whole(each.key)}
    count = math.prod(map(len, all_ranges)) if random is None else random
    if count > MOST_CONFIGURATIONS:
        product = " × ".join(f"{len(each):,}" for each in all_ranges)
        raise UserError(
            f"{count:,} configurations ({product}); must be at most {MOST_CONFIGURATIONS:,}: fewer"
            f" values, or `--random 1000`, which draws 1,000 of them"
        )
    ranges.refuse([text for each in all_ranges for text in _wrong_values(base, each, whole)])
    keys = tuple(each.key for each in all_ranges)
    if random is None:
        tried = list(itertools.product(*(values for _, values in ranges.of_all(all_ranges, whole))))
    else:
        stream = seeds.stream(base["seed"], "sweep")
        drawn = (
            tuple(each.draw(stream, whole=each.key in whole) for each in all_ranges)
            for _ in range(random)
        )
        tried = [*{repr(values): values for values in drawn}.values()]  # lists may repeat
    return _checked(base, keys, tried)


def _checked(base: Any, keys: tuple[str, ...], tried: Sequence[Values]) -> Configurations:
    """Return the configurations without those that contradict themselves.

    Raises UserError if all do.
    """
    kept: dict[Values, Params] = {}
    left_out: dict[str, int] = {}
    for values in tried:
        document = base
        for key, value in zip(keys, values, strict=True):
            document = _with(document, key, value)
        job = Params.model_validate(document)
        mistake = next(contradictions.of(job), None)
        if mistake is None:
            flat = params.flatten(job)
            kept[tuple(flat[key] for key in keys)] = job  # 0 and 0.0 may be the same value
        else:
            text = f"{messages.dotted(mistake[0])}: {mistake[1]}"
            left_out[text] = left_out.get(text, 0) + 1
    if not kept:
        raise UserError(
            "every configuration contradicts itself:\n  " + "\n  ".join([*left_out][:20])
        )
    return Configurations(keys, tuple(kept), tuple(kept.values()), left_out)


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
    elif key in NO_FIGURE or section in NO_FIGURE:
        yield f"{key}: it changes no figure of the model, so there is nothing to compare"


def _wrong_values(base: Any, swept: Range, whole: set[str]) -> Iterator[str]:
    """Yield the values that a key does not take; of a span the first one."""
    values: Sequence[Any]
    if isinstance(swept.values, Span):
        values = [swept.values.at(end) for end in (swept.values.low * 0, swept.values.low * 0 + 1)]
        values = [*map(round, values)] if swept.key in whole else values
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

"""The configurations of a sweep: every combination of the values of its ranges, or random ones.

Each is a whole params.yaml, checked as the file is.
"""

import importlib.util
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.settings import params, search_space, seeds
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.ranges import Span
from pipeline.settings.search_space import SearchSpace, Values

MOST_CONFIGURATIONS = 10_000
"""In one sweep: their runs take minutes to write."""
MOST_SUGGESTED = 1_000
"""By Optuna, whose time grows with the square of their number: half a minute for so many."""


@dataclass(frozen=True)
class Configurations:
    """What a sweep tries.

    keys: the keys that vary. values: one tuple for each configuration. params: the same, whole.
    left_out: the contradictions for which combinations were left out, with their numbers.
    command: the options of the command line. description: how they were chosen, in words.
    """

    keys: tuple[str, ...]
    values: tuple[Values, ...]
    params: tuple[Params, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    command: str = ""
    description: str = ""

    @property
    def count(self) -> int:
        """Number of configurations."""
        return len(self.params)

    def settings(self, index: int) -> dict[str, Any]:
        """Return the keys that vary with the values of one configuration."""
        return dict(zip(self.keys, self.values[index], strict=True))


@dataclass(frozen=True)
class ToSuggest:
    """What Optuna is to suggest: a number of configurations of a space. command: as above."""

    space: SearchSpace
    count: int
    command: str


def asked(
    document: str, arguments: Sequence[str], random: int | None, suggested: int | None
) -> Configurations | ToSuggest:
    """Return what a command line asks for. suggested: number of configurations for Optuna.

    The others, and UserError: see `of` and `to_suggest`.
    """
    if suggested is None:
        return of(document, arguments, random)
    return to_suggest(document, arguments, suggested)


def of(document: str, arguments: Sequence[str], random: int | None) -> Configurations:
    """Return the configurations of a sweep.

    document: the text of a valid params.yaml. arguments: such as train.lr=0.1,0.2. random: number
    of configurations to draw by the seed; None for every combination.
    Raises UserError with all mistakes of one kind: arguments that are no ranges, keys that cannot
    be swept, values that a key does not take, too many configurations.
    """
    if random is not None:
        check_number("--random", random, MOST_CONFIGURATIONS)
    space = search_space.read(document, arguments, are_drawn=random is not None)
    count = math.prod(map(len, space.ranges)) if random is None else random
    if count > MOST_CONFIGURATIONS:
        product = " × ".join(f"{len(each):,}" for each in space.ranges)
        raise UserError(
            f"{count:,} configurations ({product}); must be at most {MOST_CONFIGURATIONS:,}: fewer"
            f" values, or `--random 1000`, which draws 1,000 of them"
        )
    search_space.check_values(space)
    command = " ".join(arguments)
    if random is None:
        return replace(
            of_values(space, space.grid()), command=command, description="every combination"
        )
    stream = seeds.stream(space.seed, "sweep")
    drawn = (
        tuple(each.draw(stream, whole=each.key in space.whole) for each in space.ranges)
        for _ in range(random)
    )
    return replace(
        of_values(space, drawn),
        command=f"{command} --random {random}",
        description=f"drawn by seed {space.seed}",
    )


def check_number(option: str, number: int, most: int) -> None:
    """Raise UserError if an option asks for no configurations or for too many."""
    if not 1 <= number <= most:
        raise UserError(f"{option}: found {number}; must be from 1 to {most:,}")


def of_values(space: SearchSpace, tried: Iterable[Values]) -> Configurations:
    """Return the configurations, each once, without those that contradict themselves.

    Raises UserError if all do.
    """
    kept: dict[Values, Params] = {}
    left_out: list[str] = []
    # Not by a set: 1, 1.0 and true are equal to Python.
    for values in {repr(values): values for values in tried}.values():
        job, contradiction = space.job(values)
        if contradiction:
            left_out.append(contradiction)
        else:
            flat = params.flatten(job)
            kept[tuple(flat[key] for key in space.keys)] = job  # 0 and 0.0 may be the same value
    if not kept:
        raise UserError(
            "every configuration contradicts itself:\n  "
            + "\n  ".join([*dict.fromkeys(left_out)][:20])
        )
    return Configurations(
        space.keys, tuple(kept), tuple(kept.values()), search_space.counted(left_out)
    )


def to_suggest(document: str, arguments: Sequence[str], number: int) -> ToSuggest:
    """Return a number of configurations for Optuna to suggest.

    Raises UserError with all mistakes of one kind, as `of` does; if Optuna is not installed; and if
    the lists have too many combinations, or all of them contradict themselves.
    """
    check_number("--optuna", number, MOST_SUGGESTED)
    space = search_space.read(document, arguments, are_drawn=True)
    search_space.check_values(space)
    if importlib.util.find_spec("optuna") is None:
        raise UserError(
            "--optuna: Optuna is not installed; `pip install -e '.[optuna]'` brings it, and"
            f" `--random {number}` draws as many configurations without it"
        )
    count = math.prod(len(each.values) for each in space.ranges if isinstance(each.values, tuple))
    if count > MOST_CONFIGURATIONS:
        raise UserError(
            f"the lists have {count:,} combinations; must be at most {MOST_CONFIGURATIONS:,}: give"
            " keys of numbers a range, such as train.lr=log:1e-4..1e-1"
        )
    return ToSuggest(space, number, " ".join([*arguments, f"--optuna {number}"]))


def extremes(space: SearchSpace) -> Configurations:
    """Return the combinations of the lists' values with the low end of each span.

    Every kind of training that the space has is among them. Raises UserError as `of_values` does.
    """
    ends = (
        (each.ends(whole=each.key in space.whole)[0],)
        if isinstance(each.values, Span)
        else each.values
        for each in space.ranges
    )
    return of_values(space, itertools.product(*ends))

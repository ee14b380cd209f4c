"""The configuration of a sweep that a person takes, written into params.yaml."""

from collections.abc import Sequence

from pipeline.learning.outcomes import Outcome, best_first
from pipeline.profiling.yaml_text import replaced
from pipeline.settings import files, params, search_space, yaml_file
from pipeline.settings.errors import UserError
from pipeline.settings.yaml_values import flow

BEST = "best"


def check(choice: str | None, count: int) -> None:
    """Raise UserError if a choice can be none of `count` configurations. None: no choice."""
    if choice is None or choice == BEST:
        return
    if not (choice.isascii() and choice.isdecimal() and 1 <= int(choice) <= count):
        raise UserError(
            f"--apply: found {choice}; must be {BEST} or a number from 1 to {count:,}, of the"
            f" column `number` in {files.SWEEP}"
        )


def chosen(outcomes: Sequence[Outcome], metric: str, choice: str) -> Outcome:
    """Return the best configuration, or the one with the number `choice`.

    Raises UserError if there is none, or if it has no metric to be chosen by.
    """
    ranked = best_first(outcomes, metric)
    if choice == BEST:
        if not ranked:
            raise UserError(f"--apply: found best, but no configuration has {metric}")
        return ranked[0]
    check(choice, len(outcomes))
    outcome = next(each for each in outcomes if each.number == int(choice))
    if outcome not in ranked:
        reason = f": {outcome.note}" if outcome.note else ""
        raise UserError(
            f"--apply: configuration {choice} has no {metric}{reason}; choose one that has it, or"
            f" {BEST}, with --resume, which trains nothing again"
        )
    return outcome


def write(document: str, outcome: Outcome) -> None:
    """Write a configuration's values into params.yaml.

    document: its text when the sweep began. Raises UserError if a setting on which the figures
    depend was changed since then; other changes and comments stay.
    """
    now = yaml_file.text_of(params.PATH)
    before, after = (params.flatten(params.parse(text)) for text in (document, now))
    changed = [
        f"{key}: {flow(before.get(key))}, now {flow(after.get(key))}"
        for key in before | after
        if before.get(key) != after.get(key)
        and key not in outcome.settings
        and not search_space.is_without_figure(key)
    ]
    if changed:
        raise UserError(
            f"{params.PATH} was changed while the sweep ran, so configuration {outcome.number} is"
            " not written into it:\n  "
            + "\n  ".join(changed)
            + "\nundo the change, then the same command with --resume trains nothing again; or keep"
            " it and sweep again"
        )
    files.write_bytes(params.PATH, applied(now, outcome).encode())


def applied(document: str, outcome: Outcome) -> str:
    """Return the text of params.yaml with a configuration's values; the rest, comments too, stays.

    Raises UserError if the result is no valid job.
    """
    for key, value in outcome.settings.items():
        document = replaced(document, tuple(key.split(".")), flow(value))
    params.parse(document)
    return document

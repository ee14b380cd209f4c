"""The settings that a profile suggests: a job that `dvc repro` can do at the first try."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.profiling import few_rows, relations
from pipeline.profiling.choices import Choice, choose
from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import kind
from pipeline.profiling.relations import Relation
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings.errors import UserError
from pipeline.settings.keys.section import Name
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import count, show

FEWEST_ROWS_TO_HOLD_OUT = 50
SHARE_HELD_OUT = 0.2
_NAME: TypeAdapter[str] = TypeAdapter(Name)


@dataclass(frozen=True)
class Proposal:
    """Settings for params.yaml.

    choices: of all columns except the targets, in the order of the file.
    read_notes: why data.read is so, by its keys. relations: of targets, and of equal columns.
    drop_rows: True if rows without a target are to be left out.
    """

    read: Read
    read_notes: Mapping[str, str]
    choices: tuple[Choice, ...]
    relations: tuple[Relation, ...]
    targets: tuple[str, ...]
    drop_rows: bool
    fraction: float

    @property
    def features(self) -> dict[str, Choice]:
        """The columns that are features, by name."""
        return {choice.name: choice for choice in self.choices if choice.settings is not None}

    @property
    def excluded(self) -> list[Choice]:
        """The columns that are left out and can be named in params.yaml."""
        return [each for each in self.choices if each.settings is None and is_a_name(each.name)]


def of(
    profile: TableProfile,
    targets: Sequence[str],
    excluded: Sequence[str],
    fraction: float,
    has_bias: bool,
) -> Proposal:
    """Return the proposal for a table. targets: names of its columns, each of numbers.

    excluded: what the user leaves out. fraction: data.test_fraction as it is.
    has_bias: True if the model has an intercept, whose name is bias.
    Raises UserError if no column is left as a feature.
    """
    drop_rows = any(profile.column(target).gaps for target in targets)
    rows = profile.rows - max(profile.column(target).gaps for target in targets)
    if fraction == 0 and rows >= FEWEST_ROWS_TO_HOLD_OUT:
        fraction = SHARE_HELD_OUT
    names = [column.name for column in profile.columns]
    choices = []
    for column in profile.columns:
        if column.name in targets:
            continue
        reason = ""
        if column.name in excluded:
            reason = "as you ask"
        elif names.count(column.name) > 1:
            reason = f"{names.count(column.name)} columns have this name"
        elif not is_a_name(column.name):
            reason = "no usable name"
        elif column.name == "bias" and has_bias:
            reason = "the intercept has this name"
        if reason:
            choices.append(Choice(column.name, None, reason))
        else:
            choices.append(choose(column, has_own_name(profile, column), fraction))
    choices = _with_some_feature(choices)
    left_out = [choice.name for choice in choices if choice.settings is None]
    related = relations.of(profile, targets, left_out)
    choices = [_beside(choice, related, targets) for choice in choices]
    choices = few_rows.fitted(profile, choices, int(rows * (1 - fraction)), fraction)
    if not any(choice.settings for choice in choices):
        lines = [f"{show(choice.name)}: {choice.why}" for choice in choices]
        raise UserError(
            "\n  ".join([f"{profile.path}: found no column that can be a feature", *lines])
        )
    read = profile.read
    if any(kind(profile.column(target)) == "units" for target in targets):
        read = read.model_copy(update={"units": True})
    return Proposal(
        read, profile.notes, tuple(choices), tuple(related), tuple(targets), drop_rows, fraction
    )


def has_own_name(profile: TableProfile, column: Column) -> bool:
    """Return True if the file names the column, or has no names at all."""
    written = profile.dialect
    if written is None:
        return not column.name.startswith("__index_level_")
    if not written.header:
        return True
    place = profile.place(column)
    own = written.first[place].strip() if place < len(written.first) else ""
    return bool(own) and not own.startswith("Unnamed:")


def is_a_name(name: str) -> bool:
    """Return True if params.yaml can have the name."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _with_some_feature(choices: list[Choice]) -> list[Choice]:
    """Return the choices; if no feature is left, with a row number or an id as one."""
    if any(choice.settings for choice in choices):
        return choices
    for place, choice in enumerate(choices):
        if choice.why.startswith(("a row number", "an id")):
            why = f"{choice.why}; but there is no other feature"
            choices[place] = replace(choice, settings={"kind": "number"}, why=why, encoded=1)
            break
    return choices


def _beside(choice: Choice, related: Sequence[Relation], targets: Sequence[str]) -> Choice:
    """Return the choice with what is said of relations: a copy of the target is left out."""
    for relation in related:
        names = {relation.column, *(name for _, name in relation.terms)}
        if choice.settings is None or choice.name not in names:
            continue
        if relation.column in targets and relation.is_copy:
            return replace(
                choice, settings=None, encoded=0, why=f"the same as the target {relation.column}"
            )
        if relation.column in targets:
            why = f"{relation.text()} in every row: does the target come from it?"
        elif relation.column == choice.name:
            why = f"{relation.text()} in every row; its weight will be 0"
        else:
            continue
        return replace(choice, why=f"{choice.why}; {why}" if choice.why else why)
    return choice


def check_targets(profile: TableProfile, targets: Sequence[str]) -> None:
    """Raise UserError with each target that is not a column of numbers."""
    problems = []
    numbers = [
        show(column.name)
        for column in profile.columns
        if kind(column) in ("number", "units") and column.name not in targets
    ]
    for target in targets:
        column = profile.column(target)
        of = kind(column)
        if of in ("number", "units"):
            continue
        content = {
            "text": f"holds text, such as {show(column.example)}",
            "date": f"holds dates, such as {show(column.example)}",
            "empty": "has no values",
            "other": "holds lists or structures",
        }[of]
        wrong = [show(text) for text in column.wrong][:3]
        if of == "text" and 2 * column.wrong_rows < column.known:
            content = f"has {count(column.wrong_rows, 'value', ',')} such as {', '.join(wrong)}"
        problems.append(f"{show(target)} {content}")
    if problems:
        which = ", ".join(numbers[:12]) or "there are none"
        raise UserError(
            f"--target: a target must be a column of numbers; {'; '.join(problems)}; columns of"
            f" numbers: {which}"
        )


def settings_text(settings: Mapping[str, Any]) -> Mapping[str, Any] | str:
    """Return the short form of settings, if they have one."""
    return str(settings["kind"]) if set(settings) == {"kind"} else settings

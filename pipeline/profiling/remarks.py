"""Remarks on a table: what a person should know before the columns are used."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.columns.category import MOST_LEVELS
from pipeline.profiling import choices, decades, signs
from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import has_mixed_units, is_packed_date, kind, units
from pipeline.profiling.proposal import Proposal, has_own_name
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings import yaml_values
from pipeline.settings.messages import count, first_of, show

_CLOCK = re.compile(r"\d{1,2}[:.]\d\d([:.]\d\d)?( ?[AaPp]\.?[Mm]\.?)?")
MOST_CODES = 12
"""Different integers that may be codes of categories."""


@dataclass(frozen=True)
class Remark:
    """A remark. column: None if it is about the file. subject: one word, for machines."""

    column: str | None
    subject: str
    text: str


def of(profile: TableProfile, proposal: Proposal) -> list[Remark]:
    """Return the remarks: on the file, then on each column in order, then on relations."""
    result = [Remark(None, subject, text) for subject, text in _file(profile)]
    for column in profile.columns:
        is_target = column.name in proposal.targets
        is_named = has_own_name(profile, column)
        for subject, text in _column(column, is_named, is_target):
            result.append(Remark(column.name, subject, text))
    result += [Remark(*each) for each in _relations(proposal)]
    result += [Remark(*each) for each in _equal_texts(profile)]
    return result


def _file(profile: TableProfile) -> Iterator[tuple[str, str]]:
    read, written = profile.read, profile.dialect
    if read.encoding != "utf-8":
        yield "encoding", f"the text is in {read.encoding}"
    if written is None:
        return
    if not read.header:
        fields = first_of([show(each.strip()) for each in written.first], 8)
        yield "header", f"no names of columns in its first line, so they are c1, c2, …: {fields}"
    if not written.is_auto:
        names = {"blank": "blanks", "\t": "tabs"}
        separator = names.get(written.separator, written.separator)
        yield "separator", f"fields are separated by {separator}"
    if read.decimal == ",":
        doubt = f", which {profile.notes['decimal']}" if "decimal" in profile.notes else ""
        yield "decimal", f"decimals are written with commas{doubt}"
    if read.thousands:
        doubt = f", which {profile.notes['thousands']}" if "thousands" in profile.notes else ""
        yield "thousands", f"{show(read.thousands)} divides thousands{doubt}"
    if read.skip_lines:
        yield "title", f"{count(read.skip_lines, 'line')} before the table"
    if written.comment:
        lines = count(written.comments, "line")
        yield "comment", f"{lines} at the beginning with {written.comment} before a comment"
    if written.footer:
        yield (
            "footer",
            f"{count(len(written.footer), 'line')} below the table: "
            + first_of([show(line.strip()) for line in written.footer], 2),
        )
    if "missing" in profile.notes:
        yield "missing", f"taken for missing: {profile.notes['missing']}"


def _column(column: Column, is_named: bool, is_target: bool) -> Iterator[tuple[str, str]]:
    of = kind(column)
    if not is_named and not signs.row_number(column, is_named):
        yield "unnamed", "the file has no name for this column"
    if of == "text" and has_mixed_units(column):
        yield "units", f"numbers with different units: {first_of(sorted(units(column)), 4)}"
    for subject, text in (
        ("constant", signs.constant(column)),
        ("row number", signs.row_number(column, is_named)),
        ("id", signs.identifier(column, of, is_named)),
        ("label", signs.label(column, of)),
    ):
        if text and not (is_target and subject != "constant"):
            yield subject, text
            return
    if of == "empty":
        yield "empty", "no row has a value"
    if is_target and column.gaps:
        rows = count(column.gaps, "row", ",")
        yield "target", f"{rows} without a target; they are left out (drop_rows)"
    if text := signs.nearly_constant(column):
        yield "99 %", text
    if column.infinite:
        yield "infinite", "infinite values, which no model can use"
    if column.inexact and of == "number":
        yield "inexact", "integers beyond 2^53, of which float64 keeps 16 digits"
    if of == "units":
        yield "units", f"numbers with {first_of(sorted(units(column)), 4)} beside them"
    if of == "date":
        yield from _date(column)
    if of == "number" and not is_target:
        yield from _number(column)
    if of == "number" and (far_apart := decades.of(column)):
        yield "decades", f"{far_apart}; {_logarithm(column.name, is_target)}"
    if of == "text":
        yield from _text(column)


def _number(column: Column) -> Iterator[tuple[str, str]]:
    if column.steps and column.rows > 2:
        yield "row number", "rises by 1 from row to row: a time, or a row number?"
    elif is_packed_date(column):
        yield "date", 'may be dates: {kind: date, format: "%Y%m%d"}'
    elif column.integers and column.has_all and 2 < column.distinct <= MOST_CODES:
        number = column.distinct
        if column.rows > 5 * number:
            yield "codes", f"{number} integers, taken as a number; as levels: {{kind: category}}"
    if column.leading_zeros:
        yield "codes", "digits with zeros before them: codes?"


def _logarithm(name: str, is_target: bool) -> str:
    """Return what to try with a column whose numbers span decades."""
    if is_target:
        return (
            f"`targets: {yaml_values.flow({name: 'log'})}` fits its logarithm, and answers medians;"
            " `python -m pipeline.compare` then says which is better on the rows held out"
        )
    return f"`terms: {yaml_values.flow([f'log({name})'])}` adds its logarithm as a feature"


def _date(column: Column) -> Iterator[tuple[str, str]]:
    forms = column.dates.formats or []
    if len(forms) > 1 and (others := choices.other_readings(column, forms[0])):
        ways = " or ".join([forms[0], *others])
        yield "date", f"{show(column.example)} may be {ways}: all values are dates either way"
    elif forms:
        yield "date", f"dates, written as {forms[0]}"
    if forms and "%y" in forms[0]:
        yield "date", "years of two digits: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068"


def _text(column: Column) -> Iterator[tuple[str, str]]:
    if column.wrong_rows < column.known and column.wrong:
        texts = first_of([show(text) for text in column.wrong], 4)
        yield "mixed", f"numbers, but also {count(column.wrong_rows, 'text', ',')}: {texts}"
    if all(map(_CLOCK.fullmatch, [*column.values][:1000])):
        yield "clock", "times of the day: not read; a column of hours, as numbers, would be"
    if alike := _alike(column):
        groups = [" and ".join(show(level) for level in group) for group in alike]
        yield "alike", f"levels that read alike are kept apart: {first_of(groups, 3)}"
    if column.has_all and len(column.values) > MOST_LEVELS:
        yield "levels", f"{len(column.values):,} levels"
    if column.gaps:
        yield "gaps", "if an empty field or NA means none here, it is a level: (missing)"


def _alike(column: Column) -> list[list[str]]:
    """Return the levels that differ only in case, blanks or Unicode form."""
    groups: dict[str, list[str]] = {}
    for level in column.values:
        plain = " ".join(unicodedata.normalize("NFKC", level).split()).casefold()
        groups.setdefault(plain, []).append(level)
    return [group for group in groups.values() if len(group) > 1]


def _relations(proposal: Proposal) -> Iterator[tuple[str | None, str, str]]:
    for relation in proposal.relations:
        if relation.column in proposal.targets:
            names = ", ".join(show(name) for _, name in relation.terms)
            yield (
                relation.column,
                "leak",
                f"{relation.text()} in every row: no model is needed for that. If the features come"
                f" from the target, leave them out: --exclude with {names}",
            )
        else:
            yield relation.column, "duplicate", f"{relation.text()} in every row"


def _equal_texts(profile: TableProfile) -> Iterator[tuple[str, str, str]]:
    texts: Sequence[Column] = [each for each in profile.columns if kind(each) == "text"]
    for index, column in enumerate(texts):
        for other in texts[:index]:
            if column.values == other.values and column.has_all:
                first = profile.sample.column(profile.place(column))
                if first.equals(profile.sample.column(profile.place(other))):
                    yield column.name, "duplicate", f"the same as {show(other.name)} in every row"
                    break

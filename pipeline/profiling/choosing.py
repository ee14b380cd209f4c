"""From a path and the names of targets to a profile and its proposal; the mistakes on the way."""

import difflib
import os
import posixpath
from collections.abc import Sequence
from pathlib import Path

from pipeline.profiling import proposal, table_profile
from pipeline.profiling.proposal import Proposal
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.settings.messages import first_of, show
from pipeline.tables import raw_files
from pipeline.tables.column_names import same_name

MOST_NAMES_SHOWN = 30


def source_of(path: Path) -> str:
    """Return the table as data.source names it. Raises UserError if it is not under data/raw/."""
    relative = os.path.relpath(path).replace(os.sep, "/")
    if not relative.startswith(f"{RAW}/"):
        raise UserError(
            f"{path}: data.source must be under {RAW}/; copy the table there: `cp {path} {RAW}/`,"
            f" and describe {RAW}/{posixpath.basename(relative)}"
        )
    return relative


def of(
    path: Path, targets: Sequence[str], excluded: Sequence[str]
) -> tuple[TableProfile, Proposal]:
    """Return the profile of a table, and the proposal for params.yaml.

    Raises UserError if the table cannot be read, or if it has no such target or no feature.
    """
    if not path.exists():
        raise UserError(f"{path}: there is no such file{_near_file(path)}")
    raw_files.check_kind(path)
    profile = table_profile.of(path, targets)
    if not profile.rows:
        raise UserError(f"{path}: found no rows, only names of columns; a model needs rows")
    targets, excluded = _known(profile, targets, "--target"), _known(profile, excluded, "--exclude")
    if not targets:
        raise UserError(
            f"--target: name the column to predict, e.g. `--target {profile.columns[-1].name}`;"
            f" {path} has {_names(profile)}"
        )
    proposal.check_targets(profile, targets)
    try:
        job = params.load()
        fraction, has_bias = job.data.test_fraction.share, job.model.bias
    except UserError:  # only --write needs it
        fraction, has_bias = 0.0, True
    return profile, proposal.of(profile, targets, excluded, fraction, has_bias)


def _known(profile: TableProfile, names: Sequence[str], option: str) -> list[str]:
    """Return the names as the file spells them. Raises UserError for names that it does not have.

    A column of a file without a header may also be named by its place, c3.
    """
    own = [column.name for column in profile.columns]
    # Some files have their names in single quotes, which no CSV reader takes away.
    spelling = {same_name(name).strip("'`"): name for name in own}
    spelling |= {same_name(name): name for name in own}
    unknown = [name for name in names if same_name(name) not in spelling]
    if unknown:
        folded = {name.strip().casefold(): name for name in own}
        name = unknown[0]
        near = folded.get(name.strip().casefold())
        near = near or next(iter(difflib.get_close_matches(name, own, 1)), None)
        meant = f"did you mean {show(near)}? " if near else ""
        raise UserError(
            f"{option}: {profile.path} has no column {first_of([*map(show, unknown)], 5)};"
            f" {meant}{_headless(profile)}it has {_names(profile)}"
        )
    return list(dict.fromkeys(spelling[same_name(name)] for name in names))


def _headless(profile: TableProfile) -> str:
    if profile.read.header:
        return ""
    return "its first line seems to be a row, so the columns are called by their places; "


def _names(profile: TableProfile) -> str:
    names = [show(column.name) for column in profile.columns]
    if not profile.read.header and profile.dialect:
        names = [
            f"{column.name} ({example.strip()})"
            for column, example in zip(profile.columns, profile.dialect.first, strict=False)
        ]
    return first_of(names, MOST_NAMES_SHOWN)


def _near_file(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return ""
    near = difflib.get_close_matches(path.name, [each.name for each in folder.iterdir()], 1)
    return f"; did you mean {folder / near[0]}?" if near else ""

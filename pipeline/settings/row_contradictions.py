"""Contradictions in data.test_fraction, folds, weights and clusters, which are about rows."""

from collections.abc import Iterator

from pipeline.settings import messages
from pipeline.settings.keys.column_settings import DateSettings
from pipeline.settings.keys.row_settings import RowSettings
from pipeline.settings.keys.sections import GENERATE, Data
from pipeline.settings.yaml_file import Key

Mistakes = Iterator[tuple[Key, str]]


def of(data: Data) -> Mistakes:
    """Yield each contradiction: the key, and the end of the message."""
    share, by = data.test_fraction.share, data.test_fraction.by
    if by is not None and share == 0:
        yield (
            ("data", "test_fraction", "share"),
            f"found 0.0, which holds out no row, but by is {messages.show(by)}; write"
            " `test_fraction: 0.0`, or a share above 0",
        )
    yield from _of_weights(data)
    yield from _of(("data", "test_fraction"), data.test_fraction, data)
    yield from _of(("data", "folds"), data.folds, data)
    yield from _of_clusters(data)


def _of(key: Key, settings: RowSettings, data: Data) -> Mistakes:
    """Yield the contradictions of one of the two keys."""
    if settings.by is None:
        if settings.gap is not None:
            yield (
                (*key, "gap"),
                f"found {settings.gap}, but by names no column of dates; add it, such as `by:"
                " sold`, or leave the gap out",
            )
        return
    by, place = messages.show(settings.by), (*key, "by")
    if data.source == GENERATE:
        yield (
            place,
            f"found {by}, but data.source is {GENERATE}, whose rows belong together in no way;"
            f" write `{key[-1]}: {getattr(settings, settings.short)}`, or name a file in"
            " data.source",
        )
    elif settings.by in data.targets:
        yield (
            place,
            f"found {by}, which is in data.targets; rows cannot be chosen by what is to be"
            " predicted: name another column",
        )
    elif (
        settings.gap is not None
        and settings.by in data.columns
        and not isinstance(data.columns[settings.by], DateSettings)
    ):
        yield (
            (*key, "gap"),
            f"found {settings.gap}, but {by} is no date in data.features; make it one there"
            " (`kind: date`), or leave the gap out, and rows with an equal value stay together",
        )


def _of_weights(data: Data) -> Mistakes:
    """Yield the contradictions of data.weights with what else is said of its column."""
    if data.weights is None:
        return
    name = data.weights.by
    found, key = f"found {messages.show(name)}", ("data", "weights")
    uses = {f"{each}.by": settings.by for each, settings in data.chosen_by.items()}
    chosen_by = [each for each, by in uses.items() if by == name]
    if data.source == GENERATE:
        yield (
            key,
            f"{found}, but data.source is {GENERATE}, whose rows all count once; set it to null, or"
            " name a file in data.source",
        )
    elif name in data.targets:
        yield key, f"{found}, which is in data.targets; a column is either a weight or a target"
    elif name in data.features:
        yield (
            key,
            f"{found}, which is in data.features too; a column is a weight or a feature: take"
            " it out there, or make a copy of it under another name",
        )
    elif chosen_by:
        yield (
            key,
            f"{found}, which is {chosen_by[0]} too; rows of equal weight do not belong together:"
            " name another column there",
        )


def _of_clusters(data: Data) -> Mistakes:
    """Yield the contradictions of data.clusters."""
    if data.clusters is None:
        return
    key, found = ("data", "clusters"), f"found {messages.show(data.clusters)}"
    if data.source == GENERATE:
        yield (
            key,
            f"{found}, but data.source is {GENERATE}, whose errors depend on each other in no way;"
            " set it to null, or name a file in data.source",
        )
    elif data.clusters in data.targets:
        yield (
            key,
            f"{found}, which is in data.targets; rows cannot belong together by what is to be"
            " predicted: name another column",
        )
    elif not data.keep_rows:
        yield (
            key,
            f"{found}, but data.keep_rows is false: clustered errors are made of the residual of"
            " each row; set data.keep_rows to true, or data.clusters to null",
        )

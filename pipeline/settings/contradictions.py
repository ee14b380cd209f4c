"""Contradictions between values of params.yaml that are valid alone.

Also names that MLflow, DVC or a report could not use. Each function yields the key and the end of
the message of every mistake.
"""

import json
import posixpath
from collections.abc import Iterator, Sequence

from pipeline.settings import (
    column_contradictions,
    loss_contradictions,
    messages,
    model_contradictions,
    queries,
    row_contradictions,
    term_contradictions,
)
from pipeline.settings.files import RAW
from pipeline.settings.keys.sections import GENERATE, Data, Params, Tracking
from pipeline.settings.keys.train_settings import Train
from pipeline.settings.yaml_file import Key

Mistakes = Iterator[tuple[Key, str]]


def of(params: Params) -> Mistakes:
    """Yield each contradiction in `params`, whose keys are all valid alone."""
    yield from column_contradictions.of(params)
    yield from term_contradictions.of(params)
    yield from _source(params.data)
    yield from row_contradictions.of(params.data)
    yield from _rows_left(params)
    yield from model_contradictions.of(params)
    yield from _tracking(params.tracking)
    if params.data.source == GENERATE:
        yield from _generated(params.data)
    if params.data.columns:
        yield from queries.mistakes(params.evaluate.queries, params.data.columns)
    yield from _optimizer(params)
    yield from loss_contradictions.of(params)
    yield from _penalties(params.train)
    yield from _patience(params)
    yield from _outputs(params)


def _source(data: Data) -> Mistakes:
    if data.source == GENERATE:
        if not data.features:
            yield (
                ("data", "features"),
                "found [], which means every column of a file except the targets; name the columns"
                " to generate, or give a file in data.source",
            )
        return
    read = data.read
    if read.thousands == read.decimal:
        yield (
            ("data", "read", "thousands"),
            f"found {messages.show(read.thousands)}, which is the decimal mark as well; one of the"
            " two must be another",
        )
    if read.thousands == " " and read.separator == "blank":
        yield (
            ("data", "read", "thousands"),
            'found " ", but blanks divide the fields (data.read.separator); one of the two must be'
            " another",
        )
    path = posixpath.normpath(data.source.replace("\\", "/"))
    if not path.startswith(f"{RAW}/"):
        yield (
            ("data", "source"),
            f"found {messages.show(data.source)}; must be {GENERATE}, or a file, a glob or a folder"
            f" under {RAW}/; put the file there and write {RAW}/{posixpath.basename(path)}",
        )


def _rows_left(params: Params) -> Mistakes:
    """Yield what needs the rows, although they are left where they are."""
    train, cure = params.train, "or set data.keep_rows to true"
    if params.data.keep_rows:
        return
    if params.data.source == GENERATE:
        yield (
            ("data", "keep_rows"),
            f"found false, but data.source is {GENERATE}, whose rows are nowhere else; set it to"
            " true, or name Parquet files in data.source",
        )
    if train.batch_size is not None:
        yield (
            ("train", "batch_size"),
            f"found {train.batch_size}, but mini-batches read the rows, which data.keep_rows: false"
            f" leaves where they are; set it to null, {cure}",
        )
    if train.reduce_rows is False:
        yield (
            ("train", "reduce_rows"),
            "found false, but training on all rows reads them, which data.keep_rows: false leaves"
            f" where they are; set it to auto, {cure}",
        )


def _tracking(tracking: Tracking) -> Mistakes:
    """Yield the names that MLflow would refuse, or lose, after all the work is done."""
    experiment, model = tracking.experiment, tracking.model_name
    if experiment == "Default":
        yield (
            ("tracking", "experiment"),
            'found "Default", whose files MLflow keeps in the folder where it was first started;'
            ' choose another name, such as "abline"',
        )
    for key, name in (("experiment", experiment), ("model_name", model)):
        if name is not None and name != name.strip():
            yield (
                ("tracking", key),
                f"found {messages.show(name)}; must not be blank, or begin or end with a blank",
            )
    if model is not None and ("'" in model or model == "." or model.startswith("..")):
        yield (
            ("tracking", "model_name"),
            f"found {messages.show(model)}, which MLflow cannot keep: a model's name has no ' in"
            ' it, and does not begin with two dots; choose another, such as "abline"',
        )


def _generated(data: Data) -> Mistakes:
    generate, features, targets = data.generate, tuple(data.columns), data.targets
    if targets.logs:
        yield (
            ("data", "targets"),
            f"found a logarithm, of {messages.first_of([*sorted(targets.logs)], 8)}, but"
            f" data.source is {GENERATE}, which makes straight lines: write `targets:"
            f" {json.dumps([*targets], ensure_ascii=False)}`, or name a file in data.source",
        )
    if generate.x is None and generate.rows is None:
        yield (
            ("data", "generate", "rows"),
            "found null, and x is null too; give the rows in x, or their number in rows,"
            " e.g. `rows: 1000`",
        )
    if generate.x is not None and generate.rows is not None:
        yield (
            ("data", "generate", "rows"),
            f"found {generate.rows}, but x gives the rows themselves; set rows or x to null",
        )
    if features:
        yield from _widths(("data", "generate", "x"), generate.x or (), "feature", features)
    if generate.weight is not None:
        key: Key = ("data", "generate", "weight")
        if features:
            yield from _length(key, len(generate.weight), "row", "feature", features)
        yield from _widths(key, generate.weight, "target", targets)
    yield from _length(
        ("data", "generate", "bias"), len(generate.bias), "number", "target", targets
    )


def _optimizer(params: Params) -> Mistakes:
    train = params.train
    if train.optimizer != "sgd":
        for name in ("momentum", "dampening", "nesterov"):
            if value := getattr(train, name):
                yield (
                    ("train", name),
                    f"found {messages.show(value)}, which {train.optimizer} does not have; set it"
                    f" to {messages.show(type(value)(0))}, or train.optimizer to sgd",
                )
    elif train.nesterov and (train.momentum == 0 or train.dampening != 0):
        yield (
            ("train", "nesterov"),
            f"found true with momentum {train.momentum} and dampening {train.dampening};"
            " Nesterov's momentum needs a momentum above 0 and a dampening of 0",
        )
    if train.optimizer in ("lbfgs", "exact"):
        if train.weight_decay:
            yield (
                ("train", "weight_decay"),
                f"found {train.weight_decay}, which {train.optimizer} does not have; set it to 0.0,"
                " or train.optimizer to sgd or adam",
            )
        if train.batch_size is not None:
            yield (
                ("train", "batch_size"),
                f"found {train.batch_size}, but {train.optimizer} takes all rows at once; set it to"
                " null, or train.optimizer to sgd or adam",
            )
    if train.reduce_rows is True and train.batch_size is not None:
        yield (
            ("train", "reduce_rows"),
            f"found true with batch_size {train.batch_size}; only all rows at once can be reduced:"
            " set train.batch_size to null, or train.reduce_rows to auto",
        )
    if train.reduce_rows is True and train.optimizer == "exact":
        yield (
            ("train", "reduce_rows"),
            "found true, but exact trains on no rows at all; set it to auto, or train.optimizer to"
            " sgd, adam or lbfgs",
        )
    if train.portable and train.device != "cpu":
        yield (
            ("train", "portable"),
            f"found true with device {train.device}; the same bits on every machine need the CPU:"
            " set train.device to cpu",
        )


def _penalties(train: Train) -> Mistakes:
    penalties: dict[str, float | str] = {"l1": train.l1, "l2": train.l2}
    if train.optimizer != "exact":
        for name, penalty in penalties.items():
            if penalty:
                yield (
                    ("train", name),
                    f"found {penalty}, which {train.optimizer} does not have; set train.optimizer"
                    f" to exact, or train.{name} to 0.0",
                )


def _patience(params: Params) -> Mistakes:
    train = params.train
    if train.patience is not None and train.optimizer == "exact":
        yield (
            ("train", "patience"),
            f"found {train.patience}, but exact has no epochs to stop after; set it to null",
        )
    elif train.patience is not None and params.data.test_fraction.share == 0:
        yield (
            ("train", "patience"),
            f"found {train.patience}, but no rows are held out to watch; set data.test_fraction to"
            " 0.2, say, or train.patience to null",
        )


def _outputs(params: Params) -> Mistakes:
    key, outputs = ("export", "outputs"), params.export.outputs
    if "prediction" not in outputs or len(set(outputs)) < len(outputs):
        yield (
            key,
            f"found {messages.show(outputs)}; prediction must be there, and each at most once, e.g."
            " `outputs: [prediction, in_range]`",
        )
    if "interval" in outputs and not params.train.has_exact_interval:
        yield from _calibrated_interval(params)


def _calibrated_interval(params: Params) -> Mistakes:
    """Yield what leaves no rows to calibrate the interval on."""
    key, leave_out = ("export", "outputs"), "leave interval out"
    if params.data.test_fraction.share == 0:
        yield (
            key,
            "found interval, but no rows are held out, whose errors would tell how far it reaches;"
            " set data.test_fraction to 0.2, say (plain least squares, train.optimizer: exact"
            f" without a penalty, knows it without them), or {leave_out}",
        )
    elif params.train.patience is not None:
        cure = (
            "run it once without interval, and set train.epochs to the number of the epoch before"
            " that of the smallest test_loss in reports/history.csv (a loss is of the weights"
            " before its epoch), train.patience to null, and seed to another number, which holds"
            " mostly other rows out"
        )
        if params.data.test_fraction.gap is not None:
            cure = (
                "set train.patience to null and train.epochs to a number that other rows have"
                " chosen (the latest rows are held out whatever the seed)"
            )
        yield (
            key,
            f"found interval with train.patience {params.train.patience}, but the rows held out"
            f" choose the epoch, so their errors are smaller than those of new rows; {cure}, or"
            f" {leave_out}",
        )


def _widths(key: Key, rows: Sequence[Sequence[float]], noun: str, names: Sequence[str]) -> Mistakes:
    """Yield the mistake of the first row of a wrong width; others probably have the same cause."""
    for index, row in enumerate(rows):
        if len(row) != len(names):
            yield from _length((*key, index), len(row), "number", noun, names)
            return


def _length(key: Key, length: int, unit: str, noun: str, names: Sequence[str]) -> Mistakes:
    """Yield a mistake if `length` is not the number of `names`."""
    if length != len(names):
        yield (
            key,
            f"found {messages.count(length, unit)}; must be {len(names)}, one for each {noun}"
            f" ({messages.first_of(names, 8)})",
        )

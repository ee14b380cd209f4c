"""Summary of a result in a few lines, and the experiment to try next."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.report import (
    diagnostic_words,
    interval_words,
    loss_words,
    penalty,
    row_words,
    target_words,
    verdict,
)
from pipeline.settings import csv_cells, files, regular_file, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import NumberSettings
from pipeline.settings.messages import first_lines, first_of
from pipeline.settings.params import GENERATE, Data, Params

MOST_LINES_SHOWN = 10
"""For the coefficients, and for the predictions; the summary names the file with all of them."""

MOST_FEATURES_SHOWN = 12
"""For a query."""

REPORTS = (files.COEFFICIENTS, files.PREDICTIONS, files.METRICS, files.VERIFICATION)
"""The files that the summary is made from."""


def check_report(path: Path) -> None:
    """Check that a report can be read.

    Raises UserError, with the file and the command that makes it again, if it is missing,
    unreadable or damaged.
    """
    try:
        with regular_file.opened(path, regular_file.CURE_BY_REPRO) as file:
            text = file.read().decode("utf-8")
        if path.suffix == ".json" and not isinstance(json.loads(text), dict):
            raise ValueError("found a list or a value; must be an object")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except OSError as error:
        raise UserError(str(runner.message(error))) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error}); `dvc repro` makes it again") from None


def lines(params: Params) -> list[str]:
    """Return the summary of the result in the workspace.

    Raises UserError if its reports are not of one result of `params`.
    """
    try:
        return _lines(params)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            f"the files under {files.METRICS.parent} are not from one result, or not from this"
            f" params.yaml ({type(error).__name__}: {error}); `dvc repro` makes them again"
        ) from None


def _lines(params: Params) -> list[str]:
    coefficients = csv_cells.read_csv(files.COEFFICIENTS)
    metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
    logs = sorted(params.data.targets.logs)
    text = [
        *_first(_coefficients(coefficients), files.COEFFICIENTS),
        *_first(_predictions(params.data), files.PREDICTIONS),
    ]
    flat = params_yaml.flatten(params)
    folds = flat["data.folds"]
    # Loss of the finished model. The last one in the history is from before the last update.
    kind = params.train.loss_kind
    losses = f"{params.train.reduction} of the {kind.errors} on the training rows"
    if (penalties := penalty.words(metrics)) is not None:
        chosen = f", chosen by {row_words.folds(folds)}" * bool(params.train.chosen_by_folds)
        text.append(f"{'penalty':12} {penalties}{chosen}")
    text.append(f"{'final loss':12} {metrics['train']['loss']:.9g} ({losses})")
    test = metrics.get("test")
    if test:
        r2 = "" if test["r2"] is None else f", R² {test['r2']:.4g}"
        which = f", of {rows}" if (rows := row_words.held_out(flat["data.test_fraction"])) else ""
        scale = f" of {target_words.scale(params.data.targets, logs)}" if logs else ""
        text.append(f"{'held out':12} root mean square error{scale} {test['rmse']:.6g}{r2}{which}")
    for figures, rows in ((test, "rows held out"), (metrics["train"], "training rows")):
        if figures and kind.share is not None:
            is_exact = params.train.optimizer == "exact"
            told = loss_words.share_below(kind, figures, rows, is_exact=is_exact)
            text.append(f"{'quantile':12} {told}")
    if params.data.weights is not None:
        text.append(f"{'rows':12} {row_words.weights(params.data.weights)}")
    if "interval" in params.export.outputs and (told := interval_words.in_short(metrics, logs)):
        text.append(f"{'interval':12} {told}")
    if "cv" in metrics:
        of_folds = penalty.folds(metrics)
        told = f"{of_folds}, {row_words.fits(folds)}" if of_folds else penalty.TOO_FEW_ROWS
        if of_folds and params.train.chosen_by_folds:
            told += f"; {penalty.CHOSEN_IN_THEM}"
        text.append(f"{'folds':12} {told}")
    text += _of_logs(params.data.targets, logs, metrics)
    of_logs = target_words.in_short(
        logs, is_linear=bool(coefficients), answers_are_medians=kind.share is None
    )
    if of_logs:
        text.append(f"{'logarithm':12} {of_logs}")
    if (worse := verdict.worse_than_the_mean(metrics, params.train.loss)) is not None:
        text.append(f"{'take care':12} {worse}")
    if (some_rows := verdict.mae_of_some_rows(metrics)) is not None:
        text.append(f"{'sample':12} {some_rows}")
    # They are of the least-squares line: a model that was asked for another loss is another one.
    diagnostics = metrics.get("diagnostics", {}) if kind.is_squared else {}
    worries = diagnostic_words.worrying(diagnostics)
    text += [f"{'take care':12} {words}" for words in worries]
    if params.data.source != GENERATE and kind.is_squared:
        is_linear, shrunk = bool(coefficients), penalty.words(metrics) is not None
        text.append(gap(metrics["reference"], is_linear=is_linear, is_penalized=shrunk))
    checks = json.loads(files.VERIFICATION.read_text(encoding="utf-8"))["checks"]
    rows = sum(check["rows"] for check in checks)
    text.append(
        f"{'ONNX check':12} onnxruntime agrees with torch: {len(checks)} checks, {rows} rows"
    )
    return text


def _of_logs(targets: Sequence[str], logs: Sequence[str], metrics: Mapping[str, Any]) -> list[str]:
    """Return the errors in the own units of targets that are fitted as logarithms, if any are."""
    if not logs:
        return []
    part, rows = ("test", "rows held out") if "test" in metrics else ("train", "training rows")
    own = target_words.figures_in_own_unit(metrics[part])
    of = f" of {target_words.scale(targets, ())}" if len(targets) > 1 else ""
    r2 = "" if own["r2"] is None else f", R² {own['r2']:.4g}"
    return [f"{'own unit':12} root mean square error{of} {own['rmse']:.6g}{r2}, of the {rows}"]


def _coefficients(rows: Sequence[Mapping[str, str]]) -> list[str]:
    text = []
    for row in rows:
        symbol = "b" if row["term"] == "bias" else "w"
        name = symbol if len(rows) <= 2 else f"{symbol} {row['term']} → {row['target']}"
        text.append(f"{name:12} {row['value']}")
    return text


def _predictions(data: Data) -> list[str]:
    text = []
    for row in csv_cells.read_csv(files.PREDICTIONS):
        features = list(row)[: list(row).index(data.targets[0])]
        values = [f"{name} = {_value(row[name], data, name)}" for name in features]
        query = first_of(values, MOST_FEATURES_SHOWN)
        predicted = ", ".join(f"{name} = {row[name]}" for name in data.targets)
        text.append(f"{'prediction':12} {predicted} at {query}")
    return text


def _value(cell: str, data: Data, name: str) -> str:
    """Return a value of a query as the summary shows it: six digits of a number."""
    # Without kinds in data.features every feature is a number.
    kind = data.columns.get(name)
    if not cell:
        return "(missing)"
    return f"{float(cell):g}" if kind is None or isinstance(kind, NumberSettings) else cell


def _first(text: Sequence[str], path: Path) -> list[str]:
    """Return the first lines, then how many more there are in the file at `path`."""
    shown = first_lines(text, MOST_LINES_SHOWN)
    if len(text) > MOST_LINES_SHOWN:
        shown[-1] = f"{'':12} {shown[-1]} in {path}"
    return shown


def gap(reference: Mapping[str, float], *, is_linear: bool, is_penalized: bool = False) -> str:
    """Return the line that compares the model's loss with the loss of the best line.

    reference: from metrics.json. A model that is not linear may have a smaller loss than any line;
    one with a penalty has a larger one on purpose.
    """
    loss, difference = reference["loss"], reference["gap"]
    if is_penalized:
        return (
            f"{'no penalty':12} loss {loss:.9g} by exact least squares; the penalty costs"
            f" {abs(difference):.3g} on the training rows, for smaller errors on new ones"
        )
    if is_linear:
        best = f"{'optimum':12} loss {loss:.9g} by exact least squares"
    else:
        best = f"{'best line':12} loss {loss:.6g} (exact least squares)"
    side = "below" if difference < 0 else "above"
    return f"{best}; the model's is {abs(difference):.3g} {side} it"


def next_experiment(params: Params) -> str | None:
    """Return a change of one parameter that gives another result.

    None if no such change is known.
    """
    if params.train.optimizer != "exact":
        # With half the learning rate, a training that converged converges again, on any table.
        return f"train.lr={params.train.lr / 2:g}"
    # The exact solution has no learning rate. A column called bias needs a model without a bias.
    if params.model.bias:
        return "model.bias=false"
    terms = {row["term"] for row in csv_cells.read_csv(files.COEFFICIENTS)}
    return "model.bias=true" if "bias" not in terms else None

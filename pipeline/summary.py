"""What `make repro` says at its end: the result in a few lines, and what to type next."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.report import verdict
from pipeline.settings import files, regular_file, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.params import GENERATE, Params

SHOWN = 10  # coefficients and answers; the files have them all


def lines(params: Params) -> list[str]:
    """The summary of the result in the workspace."""
    text = []
    coefficients = files.read_csv(files.COEFFICIENTS)
    for row in coefficients[:SHOWN]:
        symbol = "b" if row["term"] == "bias" else "w"
        name = symbol if len(coefficients) <= 2 else f"{symbol} {row['term']} → {row['target']}"
        text.append(f"{name:12} {row['value']}")
    targets = params.data.targets
    for row in files.read_csv(files.PREDICTIONS)[:SHOWN]:
        features = list(row)[: list(row).index(targets[0])]
        given = ", ".join(f"{name} = {float(row[name]):g}" for name in features)
        told = ", ".join(f"{name} = {row[name]}" for name in targets)
        text.append(f"{'prediction':12} {told} at {given}")
    metrics = json.loads(files.METRICS.read_text(encoding="utf-8"))
    # Of the finished model, as the optimum's: the last one in the history is from before the last
    # update.
    squares = f"{params.train.reduction} of the squared errors on the training rows"
    text.append(f"{'final loss':12} {metrics['train']['loss']:.9g} ({squares})")
    if held_out := metrics.get("test"):
        r2 = "" if held_out["r2"] is None else f", R² {held_out['r2']:.4g}"
        text.append(f"{'held out':12} root mean square error {held_out['rmse']:.6g}{r2}")
    r2s = (metrics["train"]["r2"], (held_out or {}).get("r2"))
    if (worse := verdict.worse_than_the_mean(*r2s)) is not None:
        text.append(f"{'take care':12} {worse}")
    if params.data.source != GENERATE:
        text.append(yardstick(metrics["reference"], is_linear=bool(coefficients)))
    checks = json.loads(files.VERIFICATION.read_text(encoding="utf-8"))["checks"]
    rows = sum(check["rows"] for check in checks)
    text.append(
        f"{'ONNX check':12} onnxruntime agrees with torch: {len(checks)} checks, {rows} rows"
    )
    return text


def yardstick(reference: Mapping[str, float], *, is_linear: bool) -> str:
    """Return the line that compares the model's loss with that of the best line.

    reference: that of metrics.json. A model that is not linear may do better than any line.
    """
    loss, gap = reference["loss"], reference["gap"]
    if is_linear:
        best = f"{'optimum':12} loss {loss:.9g} by exact least squares"
    else:
        best = f"{'best line':12} loss {loss:.6g} (exact least squares)"
    return f"{best}; the model's is {abs(gap):.3g} {'below' if gap < 0 else 'above'} it"


def another(params: Params) -> str | None:
    """A change of one parameter that gives another result, to compare; None if none surely does."""
    if params.train.optimizer != "exact":
        # Half of a rate that converged converges too, whatever the table.
        return f"train.lr={params.train.lr / 2:g}"
    # The solution in closed form has no learning rate. A column called bias needs a model without.
    if params.model.bias:
        return "model.bias=false"
    terms = {row["term"] for row in files.read_csv(files.COEFFICIENTS)}
    return "model.bias=true" if "bias" not in terms else None


REPORTS = (files.COEFFICIENTS, files.PREDICTIONS, files.METRICS, files.VERIFICATION)


def check(path: Path) -> None:
    """Refuse a file of the result that is missing, unreadable or damaged.

    Raises UserError with the file and what brings it back.
    """
    try:
        with regular_file.opened(path, regular_file.MADE_ANEW) as file:
            text = file.read().decode("utf-8")
        if path.suffix == ".json" and not isinstance(json.loads(text), dict):
            raise ValueError("found a list or a value; must be an object")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except OSError as error:
        raise UserError(str(runner.told(error))) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error}); `dvc repro` makes it anew") from None


def main() -> None:
    """Print the summary."""
    try:
        params = params_yaml.load()
        for path in REPORTS:
            check(path)
        try:
            text = lines(params)
            change = another(params)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"the files under {files.METRICS.parent} do not belong together, or not to this"
                f" params.yaml ({type(error).__name__}: {error}); `dvc repro` makes them anew"
            ) from None
    except UserError as error:
        sys.exit(f"error: {error}")
    print("\n".join(text))
    print("\nnext:  make ui                             the runs, in a browser")
    if change:
        print(f"       {f'dvc exp run -S {change}':35} another run, to compare")
    print("       (dvc needs `. .venv/bin/activate` first)")


if __name__ == "__main__":
    main()

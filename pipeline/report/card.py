"""The model card: what a person must know who did not make the model, in Markdown."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.onnx_model.contract import Contract
from pipeline.report import verdict
from pipeline.settings.messages import first_of
from pipeline.settings.params import GENERATE

# A card is for reading: the rest is in contract.json and coefficients.csv.
ROWS = 50


@dataclass(frozen=True)
class Facts:
    """What a card is made from."""

    contract: Contract
    verification: Mapping[str, Any]
    """The content of verification.json."""
    metrics: Mapping[str, Any]
    """That of metrics.json."""
    coefficients: Sequence[Mapping[str, str]]
    """That of coefficients.csv; empty if the model is not linear."""
    training_rows: int
    test_rows: int


def card(facts: Facts) -> str:
    """The text of model_card.md. The same facts give the same bytes."""
    parts = [_what, _data, _how_well, _coefficients, _limits, _verified, _again]
    return "\n".join(line for part in parts for line in (*part(facts), ""))


def _what(facts: Facts) -> Iterator[str]:
    contract = facts.contract
    features = contract.input.features
    targets = contract.outputs[0].targets
    kind = "A linear model" if facts.coefficients else "A model"
    yield f"# {_list(targets)} from {_list([feature.name for feature in features])}"
    yield ""
    yield (
        f"{kind} in {contract.input.dtype}, in `models/model.onnx` (opset {contract.opset}), made"
        " by Abline. This card is made anew with every result, from the files it names."
    )
    yield ""
    yield from _table(
        ("output", "shape", "type", "meaning"),
        (
            (
                f"`{output.name}`",
                _shape(output.shape),
                output.dtype,
                _MEANINGS[output.meaning].format(_list(output.targets)),
            )
            for output in contract.outputs
        ),
    )
    yield ""
    yield (
        f"The input `{contract.input.name}` {_shape(contract.input.shape)} takes"
        f" {contract.input.dtype} in the units of the training table, one column for each feature"
        " in the order below."
    )


_MEANINGS = {
    "prediction": "the prediction of {}",
    "low": "the lower end of its 95 % prediction interval, in which a new measurement would lie",
    "high": "the upper end",
    "in_range": "whether every feature lies in its training range",
}


def _data(facts: Facts) -> Iterator[str]:
    source = facts.contract.source
    rows = {"data/train.parquet": facts.training_rows, "data/test.parquet": facts.test_rows}
    yield "## Data"
    yield ""
    if source.params["data.source"] == GENERATE:
        yield f"Made up by `data.generate` of the parameters below, with `seed: {_seed(facts)}`."
    else:
        yield f"Source: {_code(source.params['data.source'])}, divided by `seed: {_seed(facts)}`."
    yield ""
    yield from _table(
        ("file", "rows", "md5"),
        ((f"`{path}`", f"{count:,}", f"`{source.md5[path]}`") for path, count in rows.items()),
    )
    yield ""
    features = facts.contract.input.features
    yield from _table(
        ("feature", "smallest in training", "largest"),
        ((_text(f.name), f"{f.min:.6g}", f"{f.max:.6g}") for f in features[:ROWS]),
    )
    yield from _more(len(features), "features", "models/contract.json")


def _seed(facts: Facts) -> int:
    return int(facts.contract.source.params["seed"])


def _how_well(facts: Facts) -> Iterator[str]:
    sides = {"training rows": "train"} | ({"rows held out": "test"} if facts.test_rows else {})
    yield "## How well it does"
    yield ""
    yield from _table(
        ("", "RMSE", "mean absolute error", "R²"),
        (
            (name, *(_number(facts.metrics[part][figure]) for figure in ("rmse", "mae", "r2")))
            for name, part in sides.items()
        ),
    )
    r2 = {part: facts.metrics[part]["r2"] for part in sides.values()}
    if (worse := verdict.worse_than_the_mean(r2["train"], r2.get("test"))) is not None:
        yield ""
        yield f"**Take care: {worse}.**"
    if not facts.test_rows:
        yield ""
        yield (
            "**No rows were held out, so how well it does on new ones is not known.**"
            " `data.test_fraction: 0.2` holds out a fifth."
        )
    reference = facts.metrics["reference"]
    reduction = facts.contract.source.params["train.reduction"]
    gap = reference["gap"]
    yield ""
    yield (
        f"The best line there is (least squares, exact) has an RMSE of"
        f" {_number(reference['rmse'])} on the training rows. The model's loss, the {reduction} of"
        f" the squared errors, is {_number(abs(gap))} {'below' if gap < 0 else 'above'} that"
        f" line's {_number(reference['loss'])}."
    )


_REFERENCE = ("", ": standard error", ": 95 % from", ": to")


def _coefficients(facts: Facts) -> Iterator[str]:
    yield "## Coefficients"
    yield ""
    if not facts.coefficients:
        yield "None: the model is not linear."
        return
    yield from _table(
        ("target", "term", "value", *(f"least squares{part}" for part in _REFERENCE)),
        (
            (
                _text(row["target"]),
                _text(row["term"]),
                row["value"],
                *(_number(row[key]) for key in ("reference", "std_error", "ci_low", "ci_high")),
            )
            for row in facts.coefficients[:ROWS]
        ),
    )
    yield from _more(len(facts.coefficients), "terms", "reports/coefficients.csv")


def _limits(facts: Facts) -> Iterator[str]:
    contract, reference = facts.contract, facts.metrics["reference"]
    yield "## Limits"
    yield ""
    yield (
        "- Outside of the ranges above it extrapolates, and nothing here says how well. The clients"
        " tell which rows those are."
    )
    yield (
        "- Columns that come by position cannot be checked: in another order they give other"
        " answers without a word. Columns by name can."
    )
    if contract.input.dtype == "float32":
        yield "- Inputs are rounded to float32, about seven digits."
    if any(output.meaning == "low" for output in contract.outputs):
        yield (
            "- The interval holds if the rows scatter around the line independently, evenly and"
            " about normally; `reports/plots/residuals.svg` and `quantiles.svg`, which are drawn of"
            " ten rows or more, show whether they do."
        )
    condition = reference["condition_number"]
    if facts.coefficients and (condition is None or condition > 30):
        size = "beyond what float64 holds" if condition is None else _number(condition)
        yield (
            "- The columns, with the one of ones that stands for the bias, nearly depend on each"
            f" other (condition number {size}; above 30 counts as much): single coefficients say"
            " little, the predictions within the range are as good as the figures above."
        )
    yield (
        "- It knows what is in its table and nothing else: no cause, no change since, no rows"
        " unlike these."
    )


def _verified(facts: Facts) -> Iterator[str]:
    contract, checks = facts.contract, facts.verification["checks"]
    rows = sum(check["rows"] for check in checks)
    yield "## How it was verified"
    yield ""
    yield (
        f"onnxruntime {contract.onnxruntime} agreed with torch in {len(checks)} checks on"
        f" {rows:,} rows (`reports/verification.json`). {len(contract.golden.inputs)} golden"
        " vectors with the right answers and their bounds are in `models/contract.json`: a client's"
        " `conformance()` shows in one call whether another machine computes the same."
    )
    yield ""
    yield f"sha256 of the file: `{contract.sha256}`"


def _again(facts: Facts) -> Iterator[str]:
    source = facts.contract.source
    yield "## How to make it again"
    yield ""
    yield "In the repository that it came from:"
    yield ""
    yield "```sh"
    yield "python -m pipeline.track --find models/model.onnx   # its commit, and the commands"
    yield "make repro                                          # there: the same bytes"
    yield "```"
    yield ""
    yield f"training_id `{source.training_id}`; its data and training had these parameters:"
    yield ""
    yield "```yaml"
    for key, value in sorted(source.params.items()):
        yield f"{key}: {json.dumps(value, ensure_ascii=False)}"
    yield "```"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _more(count: int, noun: str, path: str) -> Iterator[str]:
    if count > ROWS:
        yield ""
        yield f"{count - ROWS:,} {noun} more are in `{path}`."


def _shape(shape: Sequence[str | int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _list(names: Sequence[str]) -> str:
    return first_of([_text(name) for name in names], 8)


def _text(name: str) -> str:
    """A name as Markdown shows it as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|~$&" else letter for letter in name)


def _code(text: str) -> str:
    """A file's name as Markdown shows it as it is, backticks and all."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " * (longest > 0)
    return f"{fence}{pad}{text}{pad}{fence}"


def _number(value: Any) -> str:
    """Six digits of a figure; nothing where there is none."""
    return "" if value in (None, "") else f"{float(value):.6g}"

"""The model card agrees with the files that it is made from."""

import json
import re
from pathlib import Path

from mixed_tables import mixed_plan, number_plan
from onnx_files import ALL_OUTPUTS, TWO_TARGETS, contract_of
from raw_column_models import INPUTS
from report_facts import coefficients

from pipeline.onnx_model.contract import MatrixContract, TableContract
from pipeline.report import card
from pipeline.report.facts import Facts
from pipeline.settings import files


def test_the_card_says_what_the_files_say(workspace: Path) -> None:
    contract = contract_of(**ALL_OUTPUTS | {"data__features": ["a|b", "b", "c"]})
    told = files.CARD.read_text()
    assert told.startswith("# u, v from a\\|b, b, c\n")
    for value in (
        contract["sha256"],
        contract["source"]["training_id"],
        contract["source"]["md5"]["data/train.parquet"],
        contract["source"]["md5"]["data/test.parquet"],
        f"| rows held out | {contract['test_metrics']['rmse']:.6g} |",
        "| `data/test.parquet` | 12 |",
        "| `low` | [batch, 2] | float32 | the lower end of its 95 % prediction interval",
        'train.optimizer: "exact"',
    ):
        assert value in told
    # Each row of a table has as many cells as the first one.
    for part in re.findall(r"(?:^\|.*\n)+", told, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in part.splitlines()}) == 1
    contract_of()
    assert "**No rows were held out" in files.CARD.read_text()


def test_the_card_of_a_module_that_is_not_linear(workspace: Path) -> None:
    contract = MatrixContract.model_validate(contract_of(**TWO_TARGETS, model__hidden=[4]))
    assert "None: the model is not linear." in files.CARD.read_text()
    metrics = json.loads(files.METRICS.read_text())
    metrics["reference"] |= {"loss": 2942.24, "gap": -67.0582, "condition_number": 1e6}
    metrics["train"]["mae_rows"] = 40
    verification = json.loads(files.VERIFICATION.read_text())
    text = card.card(
        Facts(number_plan(["a", "b", "c"]), contract, verification, metrics, [], 50, 0)
    )
    assert "is 67.0582 below that line's 2942.24." in text
    assert "\nThe mean absolute error is of 40 training rows, which the seed chose" in text
    assert "single coefficients" not in text, "there are no coefficients"


def test_the_card_of_a_model_that_takes_raw_columns(workspace: Path) -> None:
    written = contract_of(**ALL_OUTPUTS | {"data__features": ["a", "b", "c"]})
    inputs = [
        entry | {"shape": ["batch"]} for entry in INPUTS if entry["name"] in ("area", "heating")
    ]
    names = ("prediction", "in_range")
    contract = TableContract.model_validate(
        {key: value for key, value in written.items() if key != "input"}
        | {
            "version": 2,
            "inputs": inputs,
            "encoded": ["area", "heating[oil]"],
            "outputs": [
                {"name": f"y{n}", "meaning": meaning, "dtype": "float32", "shape": ["batch", 1],
                 "targets": ["price"] * (meaning == "prediction")}
                for n, meaning in enumerate(names)
            ],
            "golden": {"inputs": {"area": [1.0, None]}, "outputs": {"y0": [[1.0], [None]]},
                       "bounds": {"y0": [[0.0], [None]]}, "derivation": "by hand"},
        }
    )  # fmt: skip
    metrics = json.loads(files.METRICS.read_text())
    verification = json.loads(files.VERIFICATION.read_text())
    text = card.card(Facts(mixed_plan(), contract, verification, metrics, [], 50, 0))
    assert text.startswith(f"# price from {', '.join(mixed_plan().features)}\n")
    assert (
        "an input for each, under the column's name, of shape [batch]. A number is float32" in text
    )
    assert "| true if every value is like the training rows': " in text
    assert "| heating | gas 20 (reference), oil 10, (missing) 10 |" in text
    assert "They become 10 numbers. " in text, "a model without coefficients"
    linear = Facts(mixed_plan(), contract, verification, metrics, coefficients(mixed_plan()), 50, 0)
    assert "They become 10 numbers, which the coefficients below belong to. " in card.card(linear)
    assert "- Refused: a missing value in " in text
    assert "). 2 golden vectors, with" in text

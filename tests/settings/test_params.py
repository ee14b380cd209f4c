"""A mistake in params.yaml costs its author one line of reading, not an hour."""

import datetime
import functools
import itertools
import json
import math
import re
from pathlib import Path

import pytest
from conftest import HIDDEN, ROOT, Checkout, job, job_text
from pydantic import ValidationError

from pipeline.settings import messages, params
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines, first_of
from pipeline.settings.params import Params, flatten, parse

TEXT = (ROOT / "params.yaml").read_text()


def mistakes(old: str, new: str) -> list[str]:
    """What is said of params.yaml with `new` for `old`."""
    assert TEXT.count(old) == 1, old
    with pytest.raises(UserError) as caught:
        parse(TEXT.replace(old, new))
    return str(caught.value).splitlines()


def test_the_committed_file_is_the_tutorials_job() -> None:
    values = flatten(parse(TEXT))
    assert values["data.generate.x"] == ((1.0,), (2.0,), (3.0,))
    assert values["data.generate.weight"] == ((2.0,),)
    assert (values["train.lr"], values["train.epochs"]) == (0.01, 100)
    assert values["evaluate.queries"] == ((4.0,),)


def test_a_float_as_dvc_writes_it_is_a_number() -> None:
    for text, value in (("1e-06", 1e-6), ("1E+2", 100.0), ("5e-1", 0.5), (".5e+1", 5.0)):
        assert parse(TEXT.replace("lr: 0.01", f"lr: {text}")).train.lr == value
    assert parse(TEXT.replace("experiment: abline", "experiment: 1e")).tracking.experiment == "1e"


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        job().train.lr = 1.0


@pytest.mark.parametrize("hidden", HIDDEN)
def test_names_that_are_not_what_they_look_like(hidden: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(TEXT.replace("features: [x]", f"features: [{json.dumps(f'x{hidden}')}]"))
    told, code = str(caught.value), f"U+{ord(hidden):04X}"
    assert told.startswith("params.yaml:")
    assert told.endswith(f"; must have no invisible character; it has {code}")


def test_names_of_any_language() -> None:
    names = ["größe", "面積", "مساحة", "a b", "$/m²", "🏠"]
    made = {"data__generate__x": None, "data__generate__rows": 9, "data__generate__weight": None}
    params_read = job(data__features=names, evaluate__queries=[], **made)
    assert params_read.data.features == tuple(names)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lr: 0.01", "lr: -1", ":26: train.lr: found -1; must be greater than 0"),
        ("lr: 0.01", "lr: .inf", ":26: train.lr: found Infinity; must be a finite number"),
        ("lr: 0.01", "lr: '0.1'", ':26: train.lr: found "0.1"; must be a number'),
        ("lr: 0.01", "lr: null", ":26: train.lr: found null; must be a number"),
        ("lr: 0.01", "learning_rate: 0.1", ":26: train.learning_rate: no such key; did you mean train.lr?"),
        ("  lr: 0.01\n", "", ":24: train.lr: missing; the tutorial's job has 0.01 there"),
        ("  lr: 0.01", "  lr: 0.01\n  lr: 0.1", ":27: 'lr' is there already, in line 26; keep one of them"),
        ("optimizer: sgd ", "optimizer: sdg ", ":25: train.optimizer: found \"sdg\"; must be 'sgd', 'adam', 'lbfgs' or 'exact'"),
        ("epochs: 100", "epochs: 1.5", ":31: train.epochs: found 1.5; must be an integer"),
        ("epochs: 100", "epochs: true", ":31: train.epochs: found true; must be an integer"),
        ("epochs: 100", "epoch: 100", ":31: train.epoch: no such key; did you mean train.epochs?"),
        ("batch_size: null", "batch_size: 0", ":33: train.batch_size: found 0; must be greater than or equal to 1"),
        ("batch_size: null", f"batch_size: {2**63}", f":33: train.batch_size: found {2**63}; must be less than {2**63}"),
        ("evaluate:", "evalute:", ":41: evalute: no such key; did you mean evaluate?"),
        ("[prediction] ", "[predicton] ", ":48: export.outputs[0]: found \"predicton\"; must be 'prediction', 'interval' or 'in_range'"),
        ("[prediction] ", "[in_range] ", ":48: export.outputs: found [\"in_range\"]; prediction must be there, and each at most once, e.g. `outputs: [prediction, in_range]`"),
        ("[prediction] ", "[prediction, interval] ", ":48: export.outputs: found interval with train.optimizer sgd; only the least-squares solution has one: set train.optimizer to exact, or leave interval out"),
        ("opset: 20", "opset: 9", ":45: export.opset: found 9; must be greater than or equal to 13"),
        ("seed: 0", "seed: -1", ":5: seed: found -1; must be greater than or equal to 0"),
        ("[[4.0]]", "[[4.0, 1.0]]", ":42: evaluate.queries[0]: found 2 numbers; must be 1, one for each feature (x)"),
        ("[[4.0]]", "[4.0]", ":42: evaluate.queries[0]: found 4.0; must be a list; the tutorial's job has [[4.0]] there"),
        ("[[1.0], [2.0], [3.0]]", "[1.0, 2.0]", ":13: data.generate.x[0]: found 1.0; must be a list; the tutorial's job has [[1.0], [2.0], [3.0]] there"),
        ("[[4.0]]", "[[four]]", ':42: evaluate.queries[0][0]: found "four"; must be a number'),
        ("[3.0]]", "[3.0, 4.0]]", ":13: data.generate.x[2]: found 2 numbers; must be 1, one for each feature (x)"),
        ("[[2.0]]", "[[2.0], [1.0]]", ":15: data.generate.weight: found 2 rows; must be 1, one for each feature (x)"),
        ("[[2.0]]", "[[2.0, 1.0]]", ":15: data.generate.weight[0]: found 2 numbers; must be 1, one for each target (y)"),
        ("bias: [0.0]", "bias: []", ":16: data.generate.bias: found 0 numbers; must be 1, one for each target (y)"),
        ("rows: null", "rows: 9", ":14: data.generate.rows: found 9, but x gives the rows themselves; set rows or x to null"),
        ("targets: [y]", "targets: []", ":10: data.targets: found []; must have at least 1 item"),
        ("targets: [y]", "targets: [x]", ":10: data.targets: found 'x', which is in data.features too; a column is either a feature or a target"),
        ("seed: 0", "banana: 0\nseed: 0", ":5: banana: no such key"),
        ("features: [x]", "features: [1]", ":9: data.features[0]: found 1; must be a string"),
        ("features: [x]", "features: !!set {x}", ":9: data.features: found \"{'x'}\"; must be a list; the tutorial's job has [\"x\"] there"),
        ("model_name: abline", "model_name: a'b", ":52: tracking.model_name: found \"a'b\", which MLflow cannot keep: a model's name has no ' in it, and does not begin with two dots; choose another, such as \"abline\""),
        ("model_name: abline", "model_name: ..", ":52: tracking.model_name: found \"..\", which MLflow cannot keep: a model's name has no ' in it, and does not begin with two dots; choose another, such as \"abline\""),
        ("model_name: abline", "model_name: ' '", ':52: tracking.model_name: found " "; must not be blank, or begin or end with a blank'),
        ("experiment: abline", "experiment: ' a'", ':51: tracking.experiment: found " a"; must not be blank, or begin or end with a blank'),
        ("experiment: abline", "experiment: Default", ':51: tracking.experiment: found "Default", whose files MLflow keeps in the folder where it was first started; choose another name, such as "abline"'),
        ("optimizer: sgd ", 'optimizer: "sgd', ":25: not valid YAML: found unexpected end of stream; a quote or a bracket that opens here is never closed"),
        ("lr: 0.01", "lr 0.01", ":26: not valid YAML: could not find expected ':', as in `lr: 0.01`"),
        ("  lr: 0.01", "\tlr: 0.01", ":26: not valid YAML: found character that cannot start any token; indent with spaces, not with a tab, and put text that begins with a sign such as @ or % in quotes"),
        ("  lr: 0.01", " lr: 0.01", ":26: not valid YAML: did not find expected key; indent the line as its neighbours are, and write a key as `lr: 0.01`"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_place_finding_and_cure(
    old: str, new: str, expected: str
) -> None:
    assert mistakes(old, new) == [f"params.yaml{expected}"]


def test_no_message_is_in_the_words_of_pydantic() -> None:
    wrong: list[object] = [
        None,
        True,
        -1,
        10**40,
        0.5,
        2.5,
        -1.5,
        math.nan,
        "",
        "x" * 9999,
        [],
        [3],
        [[]],
        [""],
    ]
    wrong += [{}, {"a": 1}, b"x", datetime.date(2020, 1, 1)]
    valid = parse(TEXT).model_dump_json()
    for key, value in itertools.product(flatten(parse(TEXT)), wrong):
        values = json.loads(valid)
        *sections, name = key.split(".")
        functools.reduce(dict.__getitem__, sections, values)[name] = value
        try:
            Params.model_validate(values)
        except ValidationError as error:
            told = [text for _, text in messages.problems(error, Params)]
            assert told, (key, value)
            for text in told:
                assert re.match(r"found .*; must ", text), text
                assert "should" not in text, text


def test_of_a_long_list_the_first_items_and_their_number_are_shown() -> None:
    assert [first_of("abcd"[:number], 2) for number in range(5)] == [
        "",
        "a",
        "a, b",
        "a, b and 1 more",
        "a, b and 2 more",
    ]
    assert first_of("ab", 1) == "a and 1 more"
    assert first_lines("abc", 2) == ["a", "b", "and 1 more"]


def test_every_mistake_is_told_at_once() -> None:
    text = TEXT.replace("lr: 0.01", "lr: 0").replace("noise: 0.0", "nois: 0.0")
    with pytest.raises(UserError) as caught:
        parse(text)
    assert str(caught.value).splitlines() == [
        "2 mistakes in params.yaml",
        "  params.yaml:17: data.generate.nois: no such key; did you mean data.generate.noise?",
        "  params.yaml:26: train.lr: found 0; must be greater than 0",
    ]


def test_values_that_contradict_each_other() -> None:
    nowhere = job_text(data__generate__x=None)
    with pytest.raises(UserError, match=r"data.generate.rows: found null, and x is null too"):
        parse(nowhere)
    with pytest.raises(UserError, match=r"train.momentum: found 0.9, which adam does not have"):
        job(train__optimizer="adam", train__momentum=0.9)
    with pytest.raises(UserError, match=r"train.nesterov: .* needs a momentum above 0"):
        job(train__nesterov=True)
    job(train__nesterov=True, train__momentum=0.9)
    with pytest.raises(UserError, match=r"train.weight_decay: found 0.1, which exact does not ha"):
        job(train__optimizer="exact", train__weight_decay=0.1)
    with pytest.raises(UserError, match=r"train.batch_size: found 8, but lbfgs takes all rows at"):
        job(train__optimizer="lbfgs", train__batch_size=8)
    with pytest.raises(UserError, match=r"train.patience: found 3, but no rows are held out to w"):
        job(train__patience=3)
    with pytest.raises(UserError, match=r"train.patience: found 3, but exact has no epochs to st"):
        job(train__patience=3, train__optimizer="exact")
    with pytest.raises(UserError, match=r"train.portable: found true with device cuda; the same"):
        job(train__portable=True, train__device="cuda")
    with pytest.raises(
        UserError, match=r"data.features: found \[\], which means every column of a"
    ):
        job(data__features=[])


@pytest.mark.parametrize("source", ["housing.csv", "/etc/passwd", "data/raw/../x.csv", "data/raw"])
def test_a_table_lies_in_the_folder_for_tables(source: str) -> None:
    told = rf'data.source: found "{source}"; must be generate, or a file or a glob under data/raw/'
    with pytest.raises(UserError, match=told):
        job(data__source=source)
    job(data__source="data/raw/2024-*.csv", data__features=[])


def test_a_feature_cannot_be_called_bias() -> None:
    with pytest.raises(UserError, match=r"data.features: found 'bias', which coefficients.csv"):
        job(data__features=["bias"])
    job(data__features=["bias"], model__bias=False)


def test_a_file_that_is_no_mapping_or_not_there(tmp_path: Path) -> None:
    for text in ("", "- a", "3"):
        with pytest.raises(UserError, match="must be a mapping of keys such as `seed: 0`"):
            parse(text)
    with pytest.raises(UserError, match="there is no such file .* run from the repository's root"):
        params.load(tmp_path / "params.yaml")
    (tmp_path / "latin1.yaml").write_bytes(b"seed: 0 # \xe9")
    with pytest.raises(UserError, match="not UTF-8 text"):
        params.load(tmp_path / "latin1.yaml")


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("check", "params.yaml"),
        ("check", "dvc.yaml"),
        ("summary", "params.yaml"),
        ("ui", "params.yaml"),
    ],
)
def test_a_program_that_cannot_read_its_files_says_so_in_one_line(
    workspace: Path, program: str, name: str
) -> None:
    Path(name).unlink()
    Path(name).mkdir()
    told = Checkout(workspace).stage(program, ok=False)
    assert told == f"error: {name}: found a folder; must be a file\n"


def test_the_schema_for_editors_is_current() -> None:
    assert (ROOT / "params.schema.json").read_text() == params.schema(), "run `make schema`"

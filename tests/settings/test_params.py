"""A mistake in params.yaml costs its author one line of reading, not an hour."""

from pathlib import Path

import pytest
from conftest import ROOT, Checkout

from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.settings.params import flatten, parse

TEXT = (ROOT / "params.yaml").read_text()


def mistakes(old: str, new: str) -> list[str]:
    """Return the lines of the message about params.yaml with `new` in place of `old`."""
    assert TEXT.count(old) == 1, old
    with pytest.raises(UserError) as caught:
        parse(TEXT.replace(old, new))
    return str(caught.value).splitlines()


def line_of(text: str) -> int:
    """Return the number of the line of params.yaml in which `text` begins."""
    return TEXT[: TEXT.index(text)].count("\n") + 1


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


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lr: 0.01", "lr: -1", "train.lr: found -1; must be greater than 0"),
        ("lr: 0.01", "lr: .inf", "train.lr: found Infinity; must be a finite number"),
        ("lr: 0.01", "lr: '0.1'", 'train.lr: found "0.1"; must be a number'),
        ("lr: 0.01", "lr: null", "train.lr: found null; must be a number"),
        ("lr: 0.01", "learning_rate: 0.1", "train.learning_rate: no such key; did you mean train.lr?"),
        ("optimizer: sgd ", "optimizer: sdg ", "train.optimizer: found \"sdg\"; must be 'sgd', 'adam', 'lbfgs' or 'exact'; did you mean sgd?"),
        ("epochs: 100", "epochs: 1.5", "train.epochs: found 1.5; must be an integer"),
        ("epochs: 100", "epochs: true", "train.epochs: found true; must be an integer"),
        ("epochs: 100", "epoch: 100", "train.epoch: no such key; did you mean train.epochs?"),
        ("batch_size: null", "batch_size: 0", "train.batch_size: found 0; must be greater than or equal to 1"),
        ("batch_size: null", f"batch_size: {2**63}", f"train.batch_size: found {2**63}; must be less than {2**63}"),
        ("evaluate:", "evalute:", "evalute: no such key; did you mean evaluate?"),
        ("[prediction] ", "[predicton] ", "export.outputs[0]: found \"predicton\"; must be 'prediction', 'interval' or 'in_range'; did you mean prediction?"),
        ("[prediction] ", "[in_range] ", "export.outputs: found [\"in_range\"]; prediction must be there, and each at most once, e.g. `outputs: [prediction, in_range]`"),
        ("[prediction] ", "[prediction, interval] ", "export.outputs: found interval, but no rows are held out, whose errors would tell how far it reaches; set data.test_fraction to 0.2, say (plain least squares, train.optimizer: exact without a penalty, knows it without them), or leave interval out"),
        ("l2: 0.0", "l2: -1", "train.l2: found -1; must be greater than or equal to 0, or 'cv'"),
        ("l1: 0.0", "l1: auto", "train.l1: found \"auto\"; must be cv or a number from 0 on"),
        ("l1: 0.0", "l1: CV", "train.l1: found \"CV\"; must be cv or a number from 0 on"),
        ("choose: best", "choose: 1se", "train.choose: found \"1se\"; must be 'best' or 'one_standard_error'"),
        ("language: en", "language: de", "report.language: found \"de\"; must be 'en' or 'zh'"),
        ("opset: 20", "opset: 9", "export.opset: found 9; must be greater than or equal to 13"),
        ("seed: 0", "seed: -1", "seed: found -1; must be greater than or equal to 0"),
        ("[[4.0]]", "[[4.0, 1.0]]", "evaluate.queries[0]: found 2 values; must be 1, one for each feature (x), or a mapping of their names to values"),
        ("[[4.0]]", "[4.0]", "evaluate.queries[0]: found 4.0; must be a list of numbers, or a mapping such as {area: 120, heating: gas}"),
        ("[[1.0], [2.0], [3.0]]", "[1.0, 2.0]", "data.generate.x[0]: found 1.0; must be a list; the tutorial's job has [[1.0], [2.0], [3.0]] there"),
        ("[[4.0]]", "[[four]]", 'evaluate.queries[0][0]: found "four"; must be a number, as data.features says; if the column has text, its kind is category'),
        ("[3.0]]", "[3.0, 4.0]]", "data.generate.x[2]: found 2 numbers; must be 1, one for each feature (x)"),
        ("[[2.0]]", "[[2.0], [1.0]]", "data.generate.weight: found 2 rows; must be 1, one for each feature (x)"),
        ("[[2.0]]", "[[2.0, 1.0]]", "data.generate.weight[0]: found 2 numbers; must be 1, one for each target (y)"),
        ("bias: [0.0]", "bias: []", "data.generate.bias: found 0 numbers; must be 1, one for each target (y)"),
        ("    rows: null", "    rows: 9", "data.generate.rows: found 9, but x gives the rows themselves; set rows or x to null"),
        ("targets: [y]", "targets: []", "data.targets: found []; must have at least 1 item"),
        ("targets: [y]", "targets: [x]", "data.targets: found 'x', which is in data.features too; a column is either a feature or a target"),
        ("seed: 0", "banana: 0\nseed: 0", "banana: no such key"),
        ("features: [x]", "features: [1]", "data.features[0]: found 1; must be a string; write \"1\""),
        ("features: [x]", "features: !!set {x}", "data.features: found \"{'x'}\"; must be a list of names, such as [area, rooms], or a mapping of names to kinds, such as {area: number, heating: category}"),
        ("model_name: abline", "model_name: a'b", "tracking.model_name: found \"a'b\", which MLflow cannot keep: a model's name has no ' in it, and does not begin with two dots; choose another, such as \"abline\""),
        ("model_name: abline", "model_name: ..", "tracking.model_name: found \"..\", which MLflow cannot keep: a model's name has no ' in it, and does not begin with two dots; choose another, such as \"abline\""),
        ("model_name: abline", "model_name: ' '", 'tracking.model_name: found " "; must not be blank, or begin or end with a blank'),
        ("experiment: abline", "experiment: ' a'", 'tracking.experiment: found " a"; must not be blank, or begin or end with a blank'),
        ("experiment: abline", "experiment: Default", 'tracking.experiment: found "Default", whose files MLflow keeps in the folder where it was first started; choose another name, such as "abline"'),
        ("optimizer: sgd ", 'optimizer: "sgd', "not valid YAML: found unexpected end of stream; a quote or a bracket that opens here is never closed"),
        ("lr: 0.01", "lr 0.01", "not valid YAML: could not find expected ':', as in `lr: 0.01`"),
        ("  lr: 0.01", "\tlr: 0.01", "not valid YAML: found character that cannot start any token; indent with spaces, not with a tab, and put text that begins with a sign such as @ or % in quotes"),
        ("  lr: 0.01", " lr: 0.01", "not valid YAML: did not find expected key; indent the line as its neighbours are, and write a key as `lr: 0.01`"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_with_place_finding_and_cure(
    old: str, new: str, expected: str
) -> None:
    assert mistakes(old, new) == [f"params.yaml:{line_of(old)}: {expected}"]


def test_a_key_that_is_missing_or_there_twice() -> None:
    missing = (
        f"params.yaml:{line_of('train:')}: train.lr: missing; the tutorial's job has 0.01 there"
    )
    assert mistakes("  lr: 0.01\n", "") == [missing]
    line = line_of("  lr: 0.01")
    twice = f"params.yaml:{line + 1}: 'lr' is there already, in line {line}; keep one of them"
    assert mistakes("  lr: 0.01", "  lr: 0.01\n  lr: 0.1") == [twice]


def test_every_mistake_is_told_at_once() -> None:
    text = TEXT.replace("lr: 0.01", "lr: 0").replace("noise: 0.0", "nois: 0.0")
    with pytest.raises(UserError) as caught:
        parse(text)
    assert str(caught.value).splitlines() == [
        "2 mistakes in params.yaml",
        f"  params.yaml:{line_of('noise:')}: data.generate.nois: no such key; did you mean"
        " data.generate.noise?",
        f"  params.yaml:{line_of('lr: 0.01')}: train.lr: found 0; must be greater than 0",
    ]


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

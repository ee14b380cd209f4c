"""Values of params.yaml that contradict each other are refused before any stage runs."""

import pytest
from conftest import job, job_text

from pipeline.settings.errors import UserError
from pipeline.settings.params import parse


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


def test_what_needs_the_rows_is_refused_if_they_are_left_where_they_are() -> None:
    with pytest.raises(UserError) as refused:
        job(data__keep_rows=False, train__batch_size=8, train__reduce_rows=False)
    lines = str(refused.value).splitlines()
    assert [line.split(": ", 1)[1].split(";")[0] for line in lines if ";" in line] == [
        "data.keep_rows: found false, but data.source is generate, whose rows are nowhere else",
        "train.batch_size: found 8, but mini-batches read the rows, which data.keep_rows: false"
        " leaves where they are",
        "train.reduce_rows: found false, but training on all rows reads them, which"
        " data.keep_rows: false leaves where they are",
    ]
    job(data__keep_rows=False, data__source="data/raw/parts")


@pytest.mark.parametrize("source", ["housing.csv", "/etc/passwd", "data/raw/../x.csv", "data/raw"])
def test_a_table_lies_in_the_folder_for_tables(source: str) -> None:
    told = rf'data.source: found "{source}"; must be generate, or a file, a glob or a folder under'
    with pytest.raises(UserError, match=told):
        job(data__source=source)
    job(data__source="data/raw/2024-*.csv", data__features=[])


def test_a_feature_cannot_be_called_bias() -> None:
    with pytest.raises(UserError, match=r"data.features: found 'bias', which coefficients.csv"):
        job(data__features=["bias"])
    job(data__features=["bias"], model__bias=False)


def test_only_all_rows_at_once_can_be_reduced() -> None:
    with pytest.raises(UserError) as caught:
        job(train__reduce_rows=True, train__batch_size=8)
    assert "train.reduce_rows: found true with batch_size 8; only all rows at once can be" in str(
        caught.value
    )
    with pytest.raises(UserError, match=r"train.reduce_rows: found true, but exact trains on no"):
        job(train__reduce_rows=True, train__optimizer="exact")


@pytest.mark.parametrize("penalty", [0.1, "cv"])
def test_only_the_closed_form_has_penalties(penalty: object) -> None:
    for name in ("l1", "l2"):
        with pytest.raises(UserError) as caught:
            job(**{f"train__{name}": penalty})
        assert str(caught.value).split(": ", 1)[1] == (
            f"train.{name}: found {penalty}, which sgd does not have; set train.optimizer to exact,"
            f" or train.{name} to 0.0"
        )
        job(**{f"train__{name}": penalty, "train__optimizer": "exact"})
    job(train__optimizer="exact", train__l1=0.1, train__l2="cv")


def test_the_folds_choose_one_penalty_or_both() -> None:
    assert job(train__optimizer="exact", train__l2="cv").train.chosen_by_folds == ("l2",)
    both = job(train__optimizer="exact", train__l1="cv", train__l2="cv")
    assert both.train.chosen_by_folds == ("l1", "l2")


def test_an_interval_needs_rows_that_the_model_has_not_seen() -> None:
    outputs = {"export__outputs": ["prediction", "interval"]}
    job(train__optimizer="exact", **outputs)
    for changes in (
        {},
        {"train__optimizer": "exact", "train__l2": 0.5},
        {"train__optimizer": "adam", "train__loss": "huber"},
    ):
        with pytest.raises(UserError, match=r"export.outputs: found interval, but no rows are he"):
            job(**outputs, **changes)
        job(data__test_fraction=0.2, **outputs, **changes)
    with pytest.raises(UserError, match=r"with train.patience 5, but the rows held out choose th"):
        job(data__test_fraction=0.2, train__patience=5, **outputs)


@pytest.mark.parametrize(
    ("by_date", "cure"),
    [
        ({}, r"the epoch before that of the smallest test_loss .*, train.patience to null, and"
             r" seed to another number"),
        ({"gap": 0}, r"\(the latest rows are held out whatever the seed\), or leave interval out"),
    ],
)  # fmt: skip
def test_rows_that_chose_the_epoch_are_no_witnesses_and_the_message_names_others(
    by_date: dict[str, int], cure: str
) -> None:
    features = {"x": {"kind": "number"}, "day": {"kind": "date"}}
    with pytest.raises(UserError, match=cure):
        job(
            data__source="data/raw/a.csv",
            data__features=features,
            data__test_fraction={"share": 0.2, "by": "day", **by_date},
            train__patience=5,
            train__batch_size=None,
            export__outputs=["prediction", "interval"],
            evaluate__queries=[],
        )

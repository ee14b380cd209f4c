"""The configurations of a sweep, and what cannot be swept."""

import pytest
from conftest import job_text

from pipeline.settings import configurations
from pipeline.settings.errors import UserError


def of(*arguments: str, random: int | None = None) -> configurations.Configurations:
    return configurations.of(job_text(), arguments, random)


def message(*arguments: str, random: int | None = None) -> list[str]:
    with pytest.raises(UserError) as error:
        of(*arguments, random=random)
    return str(error.value).splitlines()


def test_a_grid_has_every_combination() -> None:
    tried = of("train.lr=0.1,0.2", "train.momentum=0,0.9", "train.epochs=5")
    assert tried.keys == ("train.lr", "train.momentum", "train.epochs")
    assert tried.values == ((0.1, 0.0, 5), (0.1, 0.9, 5), (0.2, 0.0, 5), (0.2, 0.9, 5))
    assert [job.train.momentum for job in tried.params] == [0, 0.9, 0, 0.9]
    assert tried.settings(1) == {"train.lr": 0.1, "train.momentum": 0.9, "train.epochs": 5}


def test_random_configurations_are_the_seed_s() -> None:
    arguments = ("train.lr=log:1e-4..1e-1", "train.momentum=0,0.9", "train.epochs=lin:1..100")
    tried = of(*arguments, random=20)
    assert tried.values == of(*arguments, random=20).values
    assert len(set(tried.values)) == 20
    assert {values[1] for values in tried.values} == {0.0, 0.9}
    other_seed = configurations.of(job_text(seed=1), arguments, 20)
    assert other_seed.values != tried.values


def test_a_configuration_that_is_drawn_twice_is_tried_once() -> None:
    assert sorted(of("train.momentum=0,0.5,0.9", random=50).values) == [(0.0,), (0.5,), (0.9,)]


def test_contradictions_are_left_out_and_counted() -> None:
    tried = of("train.optimizer=sgd,adam", "train.momentum=0,0.9")
    assert tried.values == (("sgd", 0.0), ("sgd", 0.9), ("adam", 0.0))
    assert [*tried.left_out.values()] == [1]
    assert "which adam does not have" in next(iter(tried.left_out))


def test_a_sweep_of_contradictions_alone_is_refused() -> None:
    first, *reasons = message("train.optimizer=adam", "train.momentum=0.5,0.9")
    assert first == "every configuration contradicts itself:"
    assert len(reasons) == 2


def test_every_key_that_cannot_be_swept_is_named_with_the_reason() -> None:
    arguments = ("lr=1", "train.learning_rate=3", "data.test_fraction=0.1,0.2", "seed=1,2")
    assert message(*arguments, "tracking.experiment=a", "train=1", "seed.x=1") == [
        "7 mistakes in the command line",
        "  lr: no such key; did you mean train.lr?",
        "  train.learning_rate: no such key; did you mean train.lr?",
        "  data.test_fraction: it changes the data that `generate` writes, and a sweep trains on"
        " the data that is there; `dvc exp run --queue -S 'data.test_fraction=0.1,0.2'` and `dvc"
        " queue start` run the whole pipeline for each value",
        "  seed: it changes the data that `generate` writes, and a sweep trains on the data that is"
        " there; `dvc exp run --queue -S 'seed=1,2'` and `dvc queue start` run the whole pipeline"
        " for each value",
        "  tracking.experiment: it changes no figure of the model, so there is nothing to compare",
        "  train: a section; name one of its keys, such as train.optimizer",
        "  seed.x: no such key",
    ]


def test_every_value_that_a_key_does_not_take_is_named() -> None:
    arguments = ("train.lr=-1,abc,0.1", "train.momentum=lin:0..1.5:3", "model.bias=maybe")
    assert message(*arguments, "train.epochs=1.5") == [
        "5 mistakes in the command line",
        "  train.lr: found -1; must be greater than 0",
        '  train.lr: found "abc"; must be a number',
        "  train.momentum: found 1.5; must be less than 1",
        '  model.bias: found "maybe"; must be a boolean',
        "  train.epochs: found 1.5; must be an integer",
    ]


def test_a_span_of_a_key_that_is_no_number_is_refused() -> None:
    (only,) = message("train.optimizer=log:1..2:3")
    assert only.startswith("train.optimizer: found 1.0; must be 'sgd'")


def test_too_many_configurations_are_refused_with_their_number() -> None:
    assert message("train.lr=log:1e-4..1e-1:1000", "train.momentum=lin:0..0.9:1000") == [
        "1,000,000 configurations (1,000 × 1,000); must be at most 10,000: fewer values, or"
        " `--random 1000`, which draws 1,000 of them"
    ]
    assert message("train.lr=0.1", random=0) == ["--random: found 0; must be from 1 to 10,000"]


def test_without_a_range_there_is_no_sweep() -> None:
    assert message() == ["no ranges; name at least one, e.g. train.lr=log:1e-4..1e-1:16"]


def test_contradictions_that_differ_in_a_number_are_one_kind() -> None:
    tried = of("train.optimizer=sgd,adam", "train.momentum=lin:0.1..0.9", random=40)
    ((text, number),) = tried.left_out.items()
    assert number == 40 - len(tried.values)
    assert text.startswith("train.momentum: found 0.")


def test_without_optuna_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def suggested(*ranges: str, number: int = 64) -> configurations.ToSuggest:
        return configurations.to_suggest(job_text(), ranges, number)

    assert suggested("train.lr=log:1e-4..1", "train.momentum=0,0.9").count == 64
    with pytest.raises(UserError, match="--optuna: found 0; must be from 1 to 1,000"):
        suggested("train.lr=0.1,0.2", number=0)
    values = ",".join(f"{number / 1000}" for number in range(1, 1001))
    with pytest.raises(UserError, match="the lists have 1,000,000 combinations; must be at most"):
        suggested(f"train.lr={values}", f"train.weight_decay={values}")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UserError) as error:
        suggested("train.lr=log:1e-4..1")
    assert str(error.value) == (
        "--optuna: Optuna is not installed; `pip install -e '.[optuna]'` brings it, and"
        " `--random 64` draws as many configurations without it"
    )

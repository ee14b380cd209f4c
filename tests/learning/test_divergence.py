"""A fit that diverges ends at once, and the limit of the learning rate is right."""

import pytest
from conftest import job
from own_modules import plain, trained

from pipeline.columns import in_memory
from pipeline.learning import divergence
from pipeline.learning.divergence import DivergedError
from pipeline.learning.module import build
from pipeline.tables.generated import generated_table


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("weight_decay", [0.0, 2.0])
def test_the_largest_learning_rate_is_where_descent_turns(
    reduction: str, bias: bool, weight_decay: float
) -> None:
    """The formula against the thing itself: just below it the loss falls, just above it rises."""
    settings = {
        "train__reduction": reduction,
        "model__bias": bias,
        "train__weight_decay": weight_decay,
        "train__dtype": "float64",
        "train__epochs": 3000,
    }
    params = job(**settings)
    summary = in_memory.summary_of(generated_table(params.data, 0), None, ("y",))
    largest = divergence.limit_of_lr(params, build(params.model, 1, 1), summary)
    assert largest is not None
    below, _ = trained(job(**settings, train__lr=largest * 0.99))
    assert below[-1] <= below[0]
    with pytest.raises(DivergedError):
        trained(job(**settings, train__lr=largest * 1.01))


def test_only_plain_descent_of_a_linear_model_on_all_rows_has_a_limit() -> None:
    params = job()
    summary = in_memory.summary_of(generated_table(params.data, 0), None, ("y",))
    linear = build(params.model, 1, 1)
    assert divergence.limit_of_lr(params, linear, summary)
    assert divergence.limit_of_lr(params, plain(1, 1), summary) is None
    for changes in ({"optimizer": "adam"}, {"momentum": 0.5}, {"batch_size": 2}):
        other = job(**{f"train__{key}": value for key, value in changes.items()})
        assert divergence.limit_of_lr(other, linear, summary) is None


def test_infinite_loss_and_infinite_weights_are_divergence() -> None:
    with pytest.raises(DivergedError, match=r"in epoch 1 the loss is inf"):
        trained(job(data__generate__weight=[[1e30]]))
    # The loss of the only epoch is that of the untrained model; its update overflows.
    with pytest.raises(DivergedError, match=r"in epoch 1 the parameters are infinite"):
        trained(job(data__generate__weight=[[1e10]], train__lr=1e30, train__epochs=1))

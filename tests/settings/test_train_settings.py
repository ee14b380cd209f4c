"""train.loss names a loss function, or a message says what would."""

import pytest
from conftest import job

from pipeline.settings.errors import UserError
from pipeline.settings.keys.train_settings import LossKind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("squared", LossKind("squared")),
        ("huber", LossKind("huber")),
        ("huber:2.5e3", LossKind("huber", 2500.0)),
        ("absolute", LossKind("absolute")),
        ("quantile:.1", LossKind("quantile", 0.1)),
    ],
)
def test_what_a_text_names(text: str, kind: LossKind) -> None:
    assert job(train__loss=text).train.loss_kind == kind


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mse", "must be squared, huber, absolute, or quantile with a share, such as quantile:0.9"),
        ("quantile", "or quantile with a share"),
        ("absolute:2", "must be squared"),
        ("quantile:90", "must have a share between 0 and 1, such as 0.9"),
        ("quantile:1", "must have a share between 0 and 1"),
        ("huber:0", "must have a threshold from 1e-30 to 1e30"),
        ("huber:-1", "must be squared"),
        (0.9, "string"),
    ],
)
def test_what_is_no_loss(text: object, told: str) -> None:
    with pytest.raises(UserError, match=r"train\.loss: .*" + told):
        job(train__loss=text)

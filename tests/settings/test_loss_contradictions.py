"""A loss that does not follow from the sums of the rows is refused where there are only sums."""

import pytest
from conftest import job

from pipeline.settings.errors import UserError


def test_what_only_squared_errors_can_have() -> None:
    for loss in ("huber", "absolute", "quantile:0.9"):
        job(train__optimizer="exact", train__loss=loss)
    with pytest.raises(
        UserError, match=r'train.loss: found "huber" with a penalty .*set both to 0'
    ):
        job(train__optimizer="exact", train__loss="huber", train__l2=0.1)
    with pytest.raises(UserError, match=r"train.reduce_rows: found true with train.loss \"absolut"):
        job(train__reduce_rows=True, train__loss="absolute")
    with pytest.raises(UserError, match=r"train.loss: .* data.keep_rows: false leaves where they"):
        job(data__keep_rows=False, data__source="data/raw/parts", train__loss="quantile:0.9")
    job(train__loss="quantile:0.9")


@pytest.mark.parametrize("optimizer", ["exact", "sgd"])
@pytest.mark.parametrize("loss", ["huber", "absolute", "quantile:0.9"])
def test_an_interval_goes_with_every_loss(loss: str, optimizer: str) -> None:
    train = {"train__optimizer": optimizer, "train__loss": loss}
    job(**train, data__test_fraction=0.5, export__outputs=["prediction", "interval"])

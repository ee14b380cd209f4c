"""Contradictions between train.loss and other values of params.yaml that are valid alone."""

from collections.abc import Iterator

from pipeline.settings import messages
from pipeline.settings.keys.sections import Params
from pipeline.settings.yaml_file import Key


def of(params: Params) -> Iterator[tuple[Key, str]]:
    """Yield each key with what contradicts a loss other than the squared one."""
    train, key = params.train, ("train", "loss")
    if train.loss_kind.is_squared:
        return
    loss = messages.show(train.loss)
    if train.optimizer == "exact" and train.penalized:
        yield (
            key,
            f"found {loss} with a penalty (train.l1, train.l2), which goes with squared errors"
            " alone; set both to 0.0, or train.loss to squared",
        )
    if train.reduce_rows is True:
        yield (
            ("train", "reduce_rows"),
            f"found true with train.loss {loss}; only squared errors on all rows follow from a few"
            " rows: set train.reduce_rows to auto, or train.loss to squared",
        )
    if not params.data.keep_rows:
        yield (
            key,
            f"found {loss}, but only squared errors follow from the sums of the rows, which"
            " data.keep_rows: false leaves where they are; set data.keep_rows to true, or"
            " train.loss to squared",
        )

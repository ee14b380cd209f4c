"""A file is tried on rows of every kind."""

import numpy as np
import torch
from onnx_files import TRAINING

from pipeline.onnx_model.trial_rows import trial_rows


def test_rows_of_every_kind() -> None:
    random = np.random.default_rng(1)
    inputs = trial_rows(TRAINING, np.empty((0, 3)), torch.float32, random)
    rows = {kind: of_kind["x"] for kind, of_kind in inputs.items()}
    assert np.isnan(rows["NaN and infinity"]).any()
    assert np.isinf(rows["NaN and infinity"]).any()
    assert (np.abs(rows["huge values"]) > 1e37).any()
    assert (np.abs(rows["denormals"]) < 1.2e-38).all()
    wide = rows["random rows over ten times the training range"]
    reach = (TRAINING.max(axis=0) - TRAINING.min(axis=0)) / 2
    middle = (TRAINING.max(axis=0) + TRAINING.min(axis=0)) / 2
    assert ((np.abs(wide - middle) / reach).max(axis=0) > 9.5).all()

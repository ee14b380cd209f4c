"""Predictions from a model.onnx of Abline, with a check that this machine computes them right.

model = abline_client.load("models")
model.predict([{"x": 4.0}])
model.conformance()
"""

import errno
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, NDArray

from abline_client._column import InputError
from abline_client._contract import (
    METADATA_KEY,
    ContractError,
    check_digest,
    check_graph,
    check_vectors,
    compare,
    content_of,
    parse,
)
from abline_client._matrix import Columns, Matrix
from abline_client._messages import shown
from abline_client._raw_columns import RawColumns

__all__ = ["Columns", "Conformance", "ContractError", "InputError", "Model", "Records", "load"]

Records = Sequence[Mapping[str, Any]]
"""Rows by name: [{"x": 4.0}]."""
Rows = ArrayLike | Columns | Records
"""Rows in any form that `Model.predict` takes."""


@dataclass(frozen=True)
class Conformance:
    """Comparison of this machine's answers with the right answers."""

    vectors: int
    """Number of rows that were tried."""
    within: int
    """Number of rows whose every answer is within its bound."""
    bit_equal: int
    """Number of rows whose every answer is right to the last bit."""
    worst: float
    """The largest ratio of a difference to its bound; more than 1 is wrong."""
    problem: str | None = None
    """The first wrong answer: "y of vector 0 is [7.5], must be [7.6]"; None if all are right."""

    @property
    def ok(self) -> bool:
        """True if all answers are within their bounds."""
        return 0 < self.within == self.vectors


class Model:
    """A model that agrees with its contract. `load` makes it; it can be pickled and copied."""

    def __init__(
        self,
        content: bytes,
        contract: dict[str, Any],
        file: Path,
        options: dict[str, Any],
        session: onnxruntime.InferenceSession | None = None,
    ) -> None:
        self.contract = contract
        """models/contract.json, or, without it, the terms in the ONNX file."""
        self.content = content
        """The bytes of the ONNX file."""
        self._file, self._options = file, options
        self._session = session or onnxruntime.InferenceSession(content, **options)
        self._inputs: Matrix | RawColumns
        if contract["version"] == 1:
            self._inputs = Matrix(contract["input"])
            self.features: tuple[str, ...] = self._inputs.features
        else:
            self._inputs = RawColumns(contract["inputs"])
            self.features = self._inputs.names
        outputs = contract["outputs"]
        self._outputs: dict[str, list[str]] = {}
        """Names of the outputs by meaning: one, or one for each target."""
        for output in outputs:
            self._outputs.setdefault(output["meaning"], []).append(output["name"])
        predictions = [output for output in outputs if output["meaning"] == "prediction"]
        self.targets: tuple[str, ...] = tuple(
            target for output in predictions for target in output["targets"]
        )
        self.dtype = np.dtype(predictions[0]["dtype"])
        self.has_interval = "low" in self._outputs
        """True if the model was made with intervals."""
        self._prediction = self._outputs["prediction"]

    def __repr__(self) -> str:
        interval = "with" if self.has_interval else "without"
        return (
            f"Model({shown(self.targets)} from {shown(self.features)}; {self.dtype}, {interval}"
            f" interval; {self._file})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # onnxruntime's session can be neither pickled nor copied: another one is made.
        return Model, (self.content, self.contract, self._file, self._options)

    def predict(self, rows: Rows, *, check: bool = True) -> NDArray[Any]:
        """Return the predictions: [rows, targets], in the model's dtype.

        rows: values by name, in any order: records ([{"x": 4.0}]) or columns ({"x": [4.0]}, a table
        of pandas, polars or pyarrow). Names that the model does not have are left out. None, NaN,
        NaT and "" are gaps. A model of contract version 1 also takes [rows, features] in the order
        of `features`, which cannot be checked.
        check: False passes an array on as it is; it must have the model's dtype, in the machine's
        byte order, and [rows, features]. In version 2: a mapping of arrays, as the file takes them.
        Raises InputError for rows that the model cannot answer.
        """
        feed = self._inputs.feed(rows) if check else self._inputs.unchecked(rows)
        outputs = self._session.run(self._prediction, feed)
        return outputs[0] if len(outputs) == 1 else np.hstack(outputs)

    def answers(self, rows: Rows, *, check: bool = True) -> dict[str, NDArray[Any]]:
        """Return every output of the file by its name. rows, check, errors: see `predict`."""
        feed = self._inputs.feed(rows) if check else self._inputs.unchecked(rows)
        return self._answers(feed)

    def _answers(self, feed: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        names = [output["name"] for output in self.contract["outputs"]]
        return dict(zip(names, self._session.run(names, feed), strict=True))

    def interval(self, rows: Rows) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the lower and upper ends of the 95 % prediction interval: [rows, targets] each.

        A new measurement would lie in the interval. rows: see `predict`.
        Raises InputError as `predict` does, and ContractError if the model has no interval.
        """
        if not self.has_interval:
            raise ContractError(
                f"{self._file}: it was made without intervals; `export.outputs: [prediction,"
                " interval]` in params.yaml asks for them"
            )
        names = [*self._outputs["low"], *self._outputs["high"]]
        ends = self._session.run(names, self._inputs.feed(rows))
        half = len(ends) // 2
        return np.hstack(ends[:half]), np.hstack(ends[half:])

    def in_range(self, rows: Rows) -> NDArray[np.bool_]:
        """Return True for each row whose every value is like the training rows': [rows].

        A number or a date lies in its training range, a level is one of theirs, a gap is where they
        had gaps too. rows, errors: see `predict`.
        """
        return self._inputs.in_range(rows)

    def conformance(self) -> Conformance:
        """Answer the contract's golden vectors and compare with the right answers.

        Raises ContractError without contract.json, because the ONNX file has no golden vectors.
        """
        golden = self.contract.get("golden")
        if golden is None:
            raise ContractError(
                f"{self._file}: there are no golden vectors: contract.json, which has them, is not"
                f" at {self._file.with_name('contract.json').absolute()}"
            )
        answers = self._answers(self._inputs.restored(golden["inputs"]))
        vectors = len(next(iter(answers.values())))
        within, equal, worst = np.ones(vectors, bool), np.ones(vectors, bool), 0.0
        problem = None
        for name, y in answers.items():
            # null is NaN: the model must answer NaN to a row that it refuses.
            right, bound = (
                np.array(golden[key][name], np.float64) for key in ("outputs", "bounds")
            )
            with np.errstate(invalid="ignore", divide="ignore"):
                difference = np.abs(y.astype(np.float64) - right)
                difference[np.isnan(right) & np.isnan(y)] = 0
                bound[np.isnan(right)] = 0
                shares = np.where(difference == 0, 0, difference / bound)
            good = (difference <= bound).all(axis=1)
            if problem is None and not good.all():
                row = int(np.argmin(good))
                problem = (
                    f"{shown([name])} of vector {row} is {y[row].astype(np.float64).tolist()},"
                    f" must be {right[row].tolist()}"
                )
            within &= good
            equal &= (difference == 0).all(axis=1)
            worst = max(worst, float(np.nan_to_num(shares, nan=math.inf).max(initial=0)))
        return Conformance(vectors, int(within.sum()), int(equal.sum()), worst, problem)


class NoModelError(FileNotFoundError):
    """There is no model at the path `filename`; `strerror` has the reason."""

    def __str__(self) -> str:
        """Return both as a sentence, without the number of the error."""
        return f"{self.filename}: {self.strerror}"


def load(path: str | Path, **options: Any) -> Model:
    """Open a model and check that it agrees with its contract.

    path: the folder with model.onnx and contract.json, or the ONNX file, whose contract.json lies
    beside it; without contract.json the terms in the ONNX file are used.
    options: for onnxruntime.InferenceSession, such as `providers` or `sess_options`.
    Raises ContractError if the model and its contract do not agree, and FileNotFoundError.
    """
    file = _file(Path(path))
    content = content_of(file)
    beside = file.with_name("contract.json")
    whole = None
    if beside.exists() or beside.is_symlink():
        whole = parse(content_of(beside), str(beside))
        check_digest(content, whole, file, beside)
    options.setdefault("providers", ["CPUExecutionProvider"])
    try:
        session = onnxruntime.InferenceSession(content, **options)
    except Exception as error:  # onnxruntime's exceptions have no base class of their own
        raise ContractError(f"{file}: onnxruntime {onnxruntime.__version__}: {error}") from error
    noted = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if noted is None:
        raise ContractError(
            f"{file}: carries no {METADATA_KEY}: not a model of this pipeline, or an old one"
        )
    terms = parse(noted, f"{file}, {METADATA_KEY}")
    if whole is not None:
        compare(whole, terms, beside, file)
        check_vectors(whole, str(file))
    contract = terms if whole is None else whole
    check_graph(session, contract, file)
    return Model(content, contract, file, options, session)


def _file(path: Path) -> Path:
    """Return the path of the ONNX file. Raises FileNotFoundError with the path that was tried."""
    file, why = path, "there is no such file or folder: `load` takes a folder or an ONNX file"
    if path.is_dir():
        others = sorted(each.name for each in path.glob("*.onnx"))
        there = f"it has {shown(others)}: name one of them" if others else "nor any other .onnx"
        file, why = path / "model.onnx", f"there is no such file in this folder; {there}"
    if not file.exists():
        raise NoModelError(errno.ENOENT, why, str(file.absolute()))
    return file

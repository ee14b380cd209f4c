"""Predictions from a model.onnx of Abline, with proof that they are the ones that were verified.

model = abline_client.load("models")
model.predict([[4.0]])
model.conformance()
"""

import hashlib
import json
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import ArrayLike, NDArray

__all__ = ["Columns", "Conformance", "ContractError", "InputError", "Model", "load"]

VERSION = 1  # of the contracts that this client reads
KEY = "abline.contract"
TYPES = {"float32": "tensor(float)", "float64": "tensor(double)", "bool": "tensor(bool)"}


class ContractError(Exception):
    """The model and its contract do not belong together, or cannot be read."""


class InputError(ValueError):
    """Rows that the model cannot answer."""


class Columns(Protocol):
    """Values by column name: a dict of lists or a pandas DataFrame.

    Tables that have `columns` or `column_names` in place of `keys`, as those of polars and pyarrow,
    will do, too.
    """

    def keys(self) -> Any:
        """The names."""

    def __getitem__(self, name: str, /) -> Any:
        """The values of a column."""


@dataclass(frozen=True)
class Conformance:
    """How this machine's answers compare with those that are right."""

    vectors: int
    """How many rows were tried."""
    within: int
    """Rows whose every answer is within its bound."""
    bit_equal: int
    """Rows whose every answer is the right one to the last bit."""
    worst: float
    """The largest share of its bound that a difference took; more than 1 is wrong."""

    @property
    def ok(self) -> bool:
        """Whether all are within their bounds."""
        return 0 < self.within == self.vectors


class Model:
    """A model that is what its contract says. `load` makes it."""

    def __init__(
        self, session: onnxruntime.InferenceSession, contract: dict[str, Any], place: str
    ) -> None:
        self.contract = contract
        """models/contract.json, or, without it, the terms in the ONNX file."""
        self._session = session
        self._place = place
        entry = contract["input"]
        self.features: tuple[str, ...] = tuple(feature["name"] for feature in entry["features"])
        self.targets: tuple[str, ...] = tuple(contract["outputs"][0]["targets"])
        self.dtype = np.dtype(entry["dtype"])
        self._width = len(self.features)
        self._input: str = entry["name"]
        self._outputs = {output["meaning"]: output["name"] for output in contract["outputs"]}
        self._prediction = [self._outputs["prediction"]]
        self._low = np.array([feature["min"] for feature in entry["features"]], self.dtype)
        self._high = np.array([feature["max"] for feature in entry["features"]], self.dtype)
        self._said = False

    def predict(self, rows: ArrayLike | Columns, *, check: bool = True) -> NDArray[Any]:
        """The predictions: [rows, targets], in the model's dtype.

        rows: [rows, features] in the order of `features`, or values by column name, in any order;
        columns that the model does not know are left out. Columns by position cannot be checked.
        check: off takes an array of the model's dtype (in the machine's own byte order) and shape
        as it is.
        Raises InputError for rows that the model cannot answer.
        """
        x = self._array(rows) if check else rows
        found: NDArray[Any] = self._session.run(self._prediction, {self._input: x})[0]
        return found

    def answers(self, rows: ArrayLike | Columns, *, check: bool = True) -> dict[str, NDArray[Any]]:
        """Every output of the file by its name. rows, check, errors: as of `predict`."""
        x = self._array(rows) if check else rows
        names = list(self._outputs.values())
        return dict(zip(names, self._session.run(names, {self._input: x}), strict=True))

    def interval(self, rows: ArrayLike | Columns) -> tuple[NDArray[Any], NDArray[Any]]:
        """The lower and upper ends of the 95 % prediction interval: [rows, targets] each.

        In it a new measurement would lie. rows: as of `predict`.
        Raises InputError as `predict`, and ContractError if the model was made without.
        """
        if "low" not in self._outputs:
            raise ContractError(
                f"{self._place}: it was made without intervals; `export.outputs: [prediction,"
                " interval]` in params.yaml asks for them"
            )
        names = [self._outputs["low"], self._outputs["high"]]
        low, high = self._session.run(names, {self._input: self._array(rows)})
        return low, high

    def in_range(self, rows: ArrayLike | Columns) -> NDArray[np.bool_]:
        """For each row whether its every feature lies in the range of the training rows: [rows]."""
        x = self._array(rows)
        inside: NDArray[np.bool_] = np.logical_and.reduce(
            (x >= self._low) & (x <= self._high), axis=1
        )
        return inside

    def conformance(self) -> Conformance:
        """Answer the contract's golden vectors and compare with what is right.

        Raises ContractError where there is no contract.json: the ONNX file alone has none.
        """
        golden = self.contract.get("golden")
        if golden is None:
            raise ContractError(
                f"{self._place}: there are no golden vectors; contract.json has them, and must lie"
                " beside the file"
            )
        x = np.array(golden["inputs"], self.dtype)
        within, equal, worst = np.ones(len(x), bool), np.ones(len(x), bool), 0.0
        for name, found in self.answers(x).items():
            right, bound = np.array(golden["outputs"][name]), np.array(golden["bounds"][name])
            with np.errstate(invalid="ignore", divide="ignore"):
                apart = np.abs(found.astype(np.float64) - right)
                shares = np.where(apart == 0, 0, apart / bound)
            within &= (apart <= bound).all(axis=1)
            equal &= (apart == 0).all(axis=1)
            worst = max(worst, float(np.nan_to_num(shares, nan=math.inf).max(initial=0)))
        return Conformance(len(x), int(within.sum()), int(equal.sum()), worst)

    def _array(self, rows: ArrayLike | Columns) -> NDArray[Any]:
        """The rows as the model takes them, or InputError."""
        if type(rows) is np.ndarray and rows.dtype == self.dtype and rows.ndim == 2:
            x = rows
        else:
            x = self._converted(rows)
        if x.shape[1] != self._width:
            raise InputError(
                f"found rows of {x.shape[1]} numbers; the model has {self._width} features:"
                f" {_list(self.features)}"
            )
        # NaN and infinity show in this sum. So may squares that are too large, which are looked at.
        if not math.isfinite(np.vdot(x, x)):
            self._refuse_not_finite(x)
        return x

    def _converted(self, rows: Any) -> NDArray[Any]:
        for names in ("keys", "column_names", "columns"):
            if hasattr(rows, names):
                found = getattr(rows, names)
                return self._from_columns(rows, list(found() if callable(found) else found))
        values = self._numbers(rows, "the rows")
        if values.ndim == 1 and values.size == 0:
            values = values.reshape(0, self._width)
        if values.ndim != 2:
            hint = (
                f"; a single row is [[{', '.join(self.features[:3])}{', …' * (self._width > 3)}]]"
            )
            raise InputError(
                f"found {values.ndim} dimensions; rows are a table of [rows, features]"
                + hint * (values.ndim == 1)
            )
        return values

    def _from_columns(self, columns: Any, there: list[Any]) -> NDArray[Any]:
        if missing := [name for name in self.features if name not in there]:
            raise InputError(f"there is no column {_list(missing)}; found {_list(there)}")
        found = [
            self._numbers(columns[name], f"column {json.dumps(name, ensure_ascii=False)}")
            for name in self.features
        ]
        for name, values in zip(self.features, found, strict=True):
            if values.ndim != 1:
                raise InputError(f"column {name}: must be a list, found {values.ndim} dimensions")
            if len(values) != len(found[0]):
                lengths = f"{len(found[0])} and {len(values)}"
                raise InputError(f"column {name}: columns are lists of one length, found {lengths}")
        return np.column_stack(found)

    def _numbers(self, values: Any, what: str) -> NDArray[Any]:
        """Values in the model's dtype. what: they are, for a message."""
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            raise InputError(f"{what}: found masked values; fill them in, or take their rows away")
        try:
            array = np.asarray(values)
        except ValueError:
            raise InputError(f"{what}: not all of one length") from None
        if array.dtype.kind not in "iuf" and array.size:
            kinds = {
                "U": "text",
                "S": "bytes",
                "b": "booleans",
                "O": "something else, as null or text",
            }
            found = kinds.get(array.dtype.kind, str(array.dtype))
            raise InputError(f"{what}: must be numbers, found {found}")
        if array.dtype == self.dtype:
            return array
        # Python's own floats are not a choice that somebody made.
        chosen = hasattr(values, "dtype") and array.dtype.kind == "f"
        if chosen and array.dtype.itemsize > self.dtype.itemsize and not self._said:
            self._said = True
            _warn(f"{array.dtype} is rounded to the model's {self.dtype}")
        with np.errstate(over="ignore"):
            rounded = array.astype(self.dtype)
        # Integers that the model does not hold, from 2²⁴ on in float32, are nobody's choice.
        if array.dtype.kind in "iu" and not self._said and (rounded != array).any():
            self._said = True
            _warn(f"integers are rounded to the model's {self.dtype}")
        if not np.isfinite(rounded).all() and np.isfinite(array.astype(np.float64)).all():
            raise InputError(f"{what}: {np.abs(array).max():g} is beyond {self.dtype}")
        return rounded

    def _refuse_not_finite(self, x: NDArray[Any]) -> None:
        bad = ~np.isfinite(x)
        if bad.any():
            row, column = (int(index[0]) for index in np.nonzero(bad))
            others = int(bad.any(axis=1).sum()) - 1
            more = f" ({others} more rows like it)" if others else ""
            raise InputError(f"row {row}, {self.features[column]}: found {x[row, column]}{more}")


def load(path: str | Path, **options: Any) -> Model:
    """Open a model and check that it is the one that its contract describes.

    path: the folder with model.onnx and contract.json, or the ONNX file, whose contract.json lies
    beside it; without one the terms in the file are used.
    options: for onnxruntime.InferenceSession, such as `providers` or `sess_options`.
    Raises ContractError if they do not match, and FileNotFoundError.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "model.onnx"
    content = file.read_bytes()
    beside = file.with_name("contract.json")
    whole = None
    if beside.exists():
        whole = _read(beside.read_bytes(), str(beside))
        digest = hashlib.sha256(content).hexdigest()
        if whole.get("sha256") != digest:
            raise ContractError(
                f"{file} is not the file that {beside} describes: its sha256 is {digest},"
                f" must be {whole.get('sha256')}; take both from one result"
            )
    options.setdefault("providers", ["CPUExecutionProvider"])
    try:
        session = onnxruntime.InferenceSession(content, **options)
    except Exception as error:  # onnxruntime's exceptions have no base class of their own
        raise ContractError(f"{file}: onnxruntime {onnxruntime.__version__}: {error}") from error
    noted = session.get_modelmeta().custom_metadata_map.get(KEY)
    if noted is None:
        raise ContractError(
            f"{file}: carries no {KEY}: not a model of this pipeline, or an old one"
        )
    terms = _read(noted, f"{file}, {KEY}")
    contract = terms if whole is None else whole
    if other := [key for key, value in terms.items() if contract.get(key) != value]:
        raise ContractError(
            f"{beside} contradicts the terms in {file} ({', '.join(other)}); take both from one"
            " result"
        )
    try:
        _check(session, contract, file)
        return Model(session, contract, str(file))
    except (KeyError, TypeError, ValueError) as error:
        where = f"{file}, {KEY}" if whole is None else beside
        raise ContractError(f"{where}: not a contract ({type(error).__name__}: {error})") from None


def _read(text: str | bytes, place: str) -> dict[str, Any]:
    try:
        contract: dict[str, Any] = json.loads(text)
        version = contract["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ContractError(f"{place}: not a contract ({type(error).__name__}: {error})") from None
    if version != VERSION:
        raise ContractError(
            f"{place}: version {version}; this client reads {VERSION}: take the client of the same"
            " release as the model"
        )
    return contract


def _check(session: onnxruntime.InferenceSession, contract: Mapping[str, Any], file: Path) -> None:
    """See that the graph has the inputs and outputs that the contract names."""
    entry = contract["input"]
    asked = [
        (each["name"], TYPES[each["dtype"]], each["shape"][-1])
        for each in (entry, *contract["outputs"])
    ]
    found = [
        (each.name, each.type, each.shape[-1])
        for each in (*session.get_inputs(), *session.get_outputs())
    ]
    if asked != found:
        raise ContractError(f"{file}: its inputs and outputs are {found}, must be {asked}")
    if (golden := contract.get("golden")) is not None:
        count = len(golden["inputs"])
        parts = [(golden["inputs"], asked[0][2])]
        for name, _, columns in asked[1:]:
            parts += [(golden[part][name], columns) for part in ("outputs", "bounds")]
        arrays = [(np.asarray(rows, np.float64), columns) for rows, columns in parts]
        if not count or any(
            array.shape != (count, columns) or not np.isfinite(array).all()
            for array, columns in arrays
        ):
            raise ContractError(f"{file}: the golden vectors in its contract.json are not whole")


def _warn(text: str) -> None:
    """Warn of what the caller of this module has done."""
    level, frame = 1, sys._getframe()
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)


def _list(names: Sequence[Any]) -> str:
    shown = ", ".join(str(name) for name in names[:10])
    return shown + ", …" * (len(names) > 10)

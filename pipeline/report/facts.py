"""Facts of a result: all that its model card and its report say, gathered from its files once.

`card` renders them in Markdown for those who use the model, the modules page_… render them in HTML
for those who ask whether to trust it. What both must work out of the files is worked out here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from pipeline.columns.part import Part
from pipeline.columns.plan import Plan
from pipeline.columns.queries import query_table
from pipeline.columns.sample import Sample
from pipeline.columns.summary import Summary
from pipeline.onnx_model.contract import Contract
from pipeline.report import constant_answer, loss_words
from pipeline.settings import csv_cells, environment, files
from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Language
from pipeline.settings.keys.train_settings import LossKind
from pipeline.settings.params import Params

Evidence = Literal["test", "folds", "train"]
"""The rows that judge a model: held out; in folds, each predicted without it; or its own."""

Row = Mapping[str, str]
"""A row of a CSV file, by column."""

HIGH_CONDITION = 30
"""Above it the columns nearly depend on each other (Belsley, Kuh and Welsch, 1980)."""
FEW_ROWS_PER_NUMBER = 10
"""With fewer training rows for each number that is learnt, the numbers follow chance."""
MUCH_WORSE = 1.5
"""Times the error on training rows: an error on new rows that is larger says that it was learnt by
heart."""


@dataclass(frozen=True)
class Facts:
    """Content of the files of a result."""

    plan: Plan
    contract: Contract
    verification: Mapping[str, Any]
    """verification.json"""
    metrics: Mapping[str, Any]
    """metrics.json"""
    coefficients: Sequence[Row]
    """coefficients.csv; no rows if the model is not linear."""
    training_rows: int
    test_rows: int
    language: Language = "en"
    """The language of the report; the card is in English."""
    predictions: Sequence[Row] = ()
    """predictions.csv"""
    queries_in_range: Sequence[bool] = ()
    """For each query whether it is like the training rows."""
    path: Sequence[Row] = ()
    """path.csv; no rows unless the folds choose a penalty."""
    largest_errors: Sequence[Row] = ()
    """largest_errors.csv"""
    influence: Sequence[Row] = ()
    """influence.csv; no rows if there is none."""
    deviations: Mapping[str, float] = field(default_factory=dict)
    """Standard deviation of each encoded column in the training rows."""
    mean_alone: Mapping[str, float | None] = field(default_factory=dict)
    """Root mean square error of answering each of the rows (train, test) with their mean, on the
    fitted scale."""
    constant_loss: Mapping[str, float] = field(default_factory=dict)
    """Mean loss of the best constant answer to the rows (train, test): see constant_answer."""
    target_ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest value of each target in the training rows."""
    test_in_range: tuple[int, int] = (0, 0)
    """Of the rows held out that data/sample.parquet has: those like training rows, and all."""
    plots: Mapping[str, bytes] = field(default_factory=dict)
    """The pictures by their names without .svg."""
    pins: Mapping[str, str] = field(default_factory=dict)
    """The pinned versions of packages."""

    @property
    def dtype(self) -> str:
        """The precision of the model."""
        return next(each.dtype for each in self.contract.outputs if each.meaning == "prediction")

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets, in order; with named inputs each has an output of its own."""
        outputs = self.contract.outputs
        return tuple(
            name for output in outputs if output.meaning == "prediction" for name in output.targets
        )

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the data and of the training, by their dotted keys."""
        return self.contract.source.params

    @property
    def is_linear(self) -> bool:
        """True if the model has coefficients."""
        return bool(self.coefficients)

    @property
    def loss(self) -> LossKind:
        """What the training made small."""
        return loss_words.of_params(self.params.get("train.loss"))

    @property
    def logs(self) -> tuple[str, ...]:
        """The targets of which the logarithm is fitted."""
        return tuple(name for name in self.targets if name in self.plan.target_scales)

    @property
    def is_penalized(self) -> bool:
        """True if the weights are smaller than those of least squares on purpose."""
        return "penalty" in self.metrics

    @property
    def is_least_squares(self) -> bool:
        """True if the model is the least-squares solution, whose errors are then its own."""
        is_solved = self.params.get("train.optimizer") == "exact" and self.loss.is_squared
        return self.is_linear and is_solved and not self.is_penalized

    @property
    def rows_are_kept(self) -> bool:
        """True if the pipeline has a copy of the rows, and so their md5."""
        return "data/train.parquet" in self.contract.source.md5

    @property
    def evidence(self) -> Evidence:
        """The rows that say most about new ones."""
        if self.test_rows:
            return "test"
        return "folds" if self.metrics.get("cv", {}).get("rmse", {}).get("mean") else "train"

    @property
    def rmse(self) -> float:
        """Root mean square error on the rows that judge."""
        of_rows = {"test": "test", "train": "train"}.get(self.evidence)
        return float(
            self.metrics[of_rows]["rmse"] if of_rows else self.metrics["cv"]["rmse"]["mean"]
        )

    @property
    def r2(self) -> float | None:
        """R² on the rows that judge; None if there is none."""
        of_rows = {"test": "test", "train": "train"}.get(self.evidence)
        r2 = self.metrics[of_rows]["r2"] if of_rows else self.metrics["cv"]["r2"]["mean"]
        return None if r2 is None else float(r2)

    @property
    def rmse_of_mean(self) -> float | None:
        """What `rmse` would be if each row were answered with the mean of the target."""
        return self.mean_alone.get("test" if self.evidence == "test" else "train")

    @property
    def condition_is_high(self) -> bool:
        """True if the columns of a linear model nearly depend on each other."""
        if not self.is_linear:
            return False
        condition = self.metrics["reference"]["condition_number"]
        return condition is None or condition > HIGH_CONDITION

    @property
    def few_rows(self) -> bool:
        """True if there are few training rows for each number that a linear model learns."""
        numbers = len(self.plan.encoded_names) + 1
        return self.is_linear and self.training_rows < FEW_ROWS_PER_NUMBER * numbers

    @property
    def is_learnt_by_heart(self) -> bool:
        """True if the model is much worse on rows that it has not learnt from."""
        own, others = self.errors_beside
        return self.evidence != "train" and others > MUCH_WORSE * own > 0

    @property
    def errors_beside(self) -> tuple[float, float]:
        """The error on the training rows and on those that judge: by RMSE, or by the mean loss."""
        if self.loss.is_squared or self.evidence == "folds":
            return float(self.metrics["train"]["rmse"]), self.rmse
        return self.mean_loss("train") or 0.0, self.mean_loss(self.evidence) or 0.0

    def mean_loss(self, part: str) -> float | None:
        """Return the mean of the errors' losses on the rows `train` or `test`; None if unknown."""
        loss = float(self.metrics[part]["loss"])
        if self.params.get("train.reduction") == "mean":
            return loss
        if self.plan.weights is not None:
            return None
        rows = {"train": self.training_rows, "test": self.test_rows}[part]
        return loss / (rows * len(self.targets))

    @property
    def exact_notes(self) -> dict[str, str]:
        """The note of each target that is a formula of the features: `total = a + b in every row`.

        coefficients.csv has it as the note of a term; the note of a term that depends on others
        begins with the name of the term.
        """
        return {
            row["target"]: row["note"]
            for row in self.coefficients
            if row.get("note", "")
            .removeprefix("log(")
            .startswith(tuple(f"{row['target']}{end}" for end in (" = ", " is ", ") = ", ") is ")))
        }


def gather(
    params: Params,
    plan: Plan,
    summary: Summary,
    sample: Sample,
    contract: Contract,
    verification: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> Facts:
    """Return the facts of the result in this folder: the files of `evaluate` are read here.

    Raises UserError if one of them is missing.
    """
    queries = query_table(params.evaluate.queries, plan, params.data.columns)
    inside = plan.in_range(sample.test)
    names = plan.encoded_names
    try:
        return Facts(
            *(plan, contract, verification, metrics, csv_cells.read_csv(files.COEFFICIENTS)),
            *(summary.train.table_rows, summary.test.table_rows),
            language=params.report.language,
            predictions=csv_cells.read_csv(files.PREDICTIONS),
            queries_in_range=plan.in_range(queries).tolist(),
            path=csv_cells.read_csv(files.PATH),
            largest_errors=csv_cells.read_csv(files.LARGEST_ERRORS),
            influence=csv_cells.read_csv(files.INFLUENCE),
            deviations=dict(
                zip(names, summary.train.gram.deviations()[: len(names)].tolist(), strict=True)
            ),
            mean_alone={
                "train": _spread(summary.train, len(names), len(params.data.targets)),
                "test": _spread(summary.test, len(names), len(params.data.targets)),
            },
            constant_loss=constant_answer.losses(
                params.train.loss_kind, plan, summary, sample, params.data.targets
            ),
            target_ranges=_ranges(plan, summary.train, params.data.targets),
            test_in_range=(int(inside.sum()), len(inside)),
            plots={path.stem: path.read_bytes() for path in sorted(files.PLOTS.glob("*.svg"))},
            pins=environment.pins(),
        )
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: there is no such file; `dvc repro` makes it") from None


def read_metrics() -> dict[str, Any]:
    """Return the content of metrics.json. Raises UserError if it is missing."""
    try:
        content: dict[str, Any] = json.loads(files.METRICS.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: there is no such file; `dvc repro` makes it") from None
    return content


def _ranges(plan: Plan, part: Part, targets: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest value of each target in its own unit; it is last."""
    ends = np.array([each[-len(targets) :] for each in (part.smallest, part.largest)])
    own = plan.own_unit(ends, targets).tolist()
    return dict(zip(targets, zip(*own, strict=True), strict=True))


def _spread(part: Part, features: int, targets: int) -> float | None:
    """Return the root mean square distance of the targets from their means; None without rows."""
    if not part.rows:
        return None
    try:
        return math.sqrt(float(part.variation_of_targets(features) / (part.weight * targets)))
    except OverflowError:
        return None

"""The keys of params.yaml: a class for each section, with type, range and meaning of each key.

A docstring below a key is its description in params.schema.json, which editors show.
"""

import codecs
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Strict, Tag
from pydantic_core import PydanticCustomError

from pipeline.settings.keys.column_settings import Column, ColumnSettings, NumberSettings
from pipeline.settings.keys.row_settings import FoldsOfRows, HeldOutRows, RowSettings
from pipeline.settings.keys.section import AS_TUPLE, Name, Names, Section, list_or_mapping
from pipeline.settings.keys.target_settings import Targets
from pipeline.settings.keys.train_settings import Model, Train
from pipeline.settings.keys.weight_settings import RowWeights

Row = Annotated[tuple[float, ...], *AS_TUPLE]
Rows = Annotated[tuple[Row, ...], *AS_TUPLE]


class Generate(Section):
    """The table to make: y = x · weight + bias + noise · N(0, 1)."""

    x: Annotated[tuple[Row, ...], Field(min_length=1), *AS_TUPLE] | None = Field(
        examples=[[[1.0], [2.0], [3.0]]]
    )
    """The input rows themselves, or null to draw `rows` of them from N(0, 1)."""
    rows: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(examples=[None])
    """Number of rows to draw when x is null; null when x is given."""
    weight: Rows | None = Field(examples=[[[2.0]]])
    """One row for each feature, one column for each target, or null to draw them from N(0, 1)."""
    bias: Row = Field(examples=[[0.0]])
    """One number for each target."""
    noise: float = Field(ge=0, examples=[0.0])
    """Standard deviation of the noise on the targets."""


GENERATE = "generate"

MISSING_LEVELS: tuple[str, ...] = (
    "", "NA", "N/A", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "NULL", "Null",
    "null", "n/a", "?",
)  # fmt: skip
"""Texts that no one writes for a level."""
MISSING_TEXTS = (*MISSING_LEVELS, "na", "None", "none", "-", ".")
"""Texts that are no value among numbers or dates. Among texts, none and - are levels."""


def _an_encoding(name: str) -> str:
    """Refuse what Python cannot read text with."""
    try:
        if not name.isascii() or not codecs.lookup(name)._is_text_encoding:  # hex is none
            raise LookupError
        codecs.getincrementaldecoder(name)()
    except (LookupError, ValueError):
        raise PydanticCustomError(
            "encoding", "must be an encoding, such as utf-8, cp1252, latin-1 or utf-16"
        ) from None
    return name


Encoding = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_an_encoding)]


class Read(Section):
    """How the file is written. Parquet and JSON files say it themselves."""

    one_key: ClassVar[bool] = True

    separator: Literal["auto", ",", ";", "\t", "|", "blank"] = Field(examples=["auto"])
    """The character between fields; blank: any number of blanks and tabs; auto: the comma,
    semicolon, tab or | that is most frequent in the first line."""
    decimal: Literal[".", ","] = Field(examples=["."])
    """The decimal mark."""
    thousands: Literal[",", ".", " ", "'"] | None = Field(examples=[None])
    """The mark between thousands; null: none."""
    units: bool = Field(examples=[False])
    """true: read $1,200, 45 % and 1 234 as the numbers in them, in every column of numbers."""
    encoding: Encoding = Field(examples=["utf-8"])
    """The text encoding, by one of Python's names: utf-8, cp1252, latin-1, utf-16."""
    header: bool = Field(examples=[True])
    """true: the first line names the columns; false: they are called c1, c2 and so on."""
    comment: Annotated[str, Field(min_length=1, max_length=10)] | None = Field(examples=[None])
    """What lines begin with that are skipped; null: no line is."""
    skip_lines: int = Field(ge=0, le=10_000, examples=[0])
    """Lines before the table, such as a title."""
    footer_lines: int = Field(ge=0, le=10_000, examples=[0])
    """Lines after the table, such as a source."""
    missing: Annotated[tuple[str, ...], *AS_TUPLE] | None = Field(examples=[None])
    """The texts that stand for a missing value, as an empty field always does; a number among them
    stands for all numbers of this value. null: NA, NaN, null, ? and the like; in columns of
    numbers and dates none and - as well, whatever is written here."""
    sheet: str | int | None = Field(examples=[None])
    """The sheet of an Excel file, by its name or its number from 1; null: its only one."""

    @classmethod
    def usual(cls) -> "Read":
        """Return the settings of a CSV file without peculiarities."""
        return cls(
            **{name: (field.examples or [None])[0] for name, field in cls.model_fields.items()}
        )

    @property
    def missing_texts(self) -> tuple[str, ...]:
        """The texts that stand for a missing number or date; none of them is one."""
        return tuple(dict.fromkeys((*MISSING_TEXTS, *(self.missing or ()))))

    @property
    def missing_levels(self) -> tuple[str, ...]:
        """The texts that stand for a missing value in a column of texts."""
        return MISSING_LEVELS if self.missing is None else self.missing

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """The numbers that stand for a missing value."""
        numbers = []
        for text in self.missing or ():
            try:
                numbers.append(float(text.replace(self.decimal, ".")))
            except ValueError:
                continue
        return tuple(numbers)


Features = Annotated[
    Annotated[Names, Tag("\0list")] | Annotated[dict[Name, Column], Tag("\0mapping")],
    Discriminator(
        list_or_mapping,
        custom_error_type="features",
        custom_error_message="must be a list of names, such as [area, rooms], or a mapping of names"
        " to kinds, such as {area: number, heating: category}",
    ),
]


class Data(Section):
    """The table."""

    source: str = Field(min_length=1, max_length=4096, examples=[GENERATE])
    """generate, or under data/raw/: a CSV or Parquet file, a glob, a folder of Parquet files, or
    the .dvc file of an import."""
    keep_rows: bool = Field(examples=[True])
    """false: leave the rows of Parquet files where they are; sums are enough for linear models."""
    read: Read
    features: Features = Field(examples=[["x"]])
    """The input columns, in order: their names, if all are numbers without gaps, or their names
    with their kinds, such as {area: number, heating: category}; []: every column of the file except
    the targets, data.exclude, the weights and the columns by which rows belong together."""
    terms: Names = Field(examples=[[]])
    """Further numbers made from the features: log(income), sqrt(area), age^2, age:smoker,
    spline(hour, 5); -income takes the number itself out, so that only the terms have it."""
    exclude: Names = Field(examples=[[]])
    """Columns of the file that are no features."""
    targets: Targets = Field(examples=[["y"]])
    """The columns to predict: their names, in order; or a mapping of names to scales, such as
    {price: log}: the natural logarithm is fitted, and the answers are in the column's own unit."""
    drop_rows: Literal["missing_target"] | None = Field(examples=[None])
    """missing_target: leave out the rows without a target, and count them; null: refuse them."""
    weights: RowWeights = Field(examples=[None])
    """Column of the rows' weights: its name, for precisions, the inverses of the variances of the
    rows' errors; or {by: count, kind: frequency}: a row stands for so many equal rows; null: each
    row counts once."""
    test_fraction: HeldOutRows = Field(examples=[0.0])
    """Share of the rows that is held out, chosen row by row by the seed; or {share: 0.2, by:
    customer}: rows with one value of the column stay together; or {share: 0.2, by: sold, gap: 7}:
    the rows of the latest days, and 7 days before them are left out of the training."""
    folds: FoldsOfRows = Field(examples=[5])
    """Number of folds of the training rows, each predicted by a fit to the others; the seed chooses
    row by row; or {number: 5, by: customer}: rows with one value of the column stay together; or
    {number: 5, by: sold, gap: 7}: each fold is predicted by a fit to earlier days."""
    clusters: Name | None = Field(examples=[None])
    """Column whose rows with an equal value may have errors that depend on each other: the reports
    have standard errors that hold for such rows, too; null: none."""
    generate: Generate

    @property
    def columns(self) -> dict[str, ColumnSettings]:
        """The features with their settings; empty if data.features is []."""
        if isinstance(self.features, dict):
            return dict(self.features)
        return {name: NumberSettings(kind="number") for name in self.features}

    @property
    def chosen_by(self) -> dict[str, RowSettings]:
        """The keys whose rows are chosen by a column, such as data.folds, with their settings."""
        both = {"data.test_fraction": self.test_fraction, "data.folds": self.folds}
        return {key: settings for key, settings in both.items() if settings.by is not None}

    @property
    def grouping(self) -> dict[str, str]:
        """The keys that name a column by whose values rows belong together, with the column."""
        named = {f"{key}.by": str(settings.by) for key, settings in self.chosen_by.items()}
        return named if self.clusters is None else named | {"data.clusters": self.clusters}


def _one_value(value: Any) -> Any:
    """Refuse a list or a mapping in the place of one value."""
    if value is not None and not isinstance(value, int | float | str):
        raise PydanticCustomError("value", "must be a number, a text, true, false or null")
    return value


Value = Annotated[float | str | bool | None, BeforeValidator(_one_value)]
Query = Annotated[
    Annotated[tuple[Value, ...], Strict(False), Tag("\0list")]
    | Annotated[dict[Name, Value], Tag("\0mapping")],
    Discriminator(
        list_or_mapping,
        custom_error_type="query",
        custom_error_message="must be a list of numbers, or a mapping such as"
        " {area: 120, heating: gas}",
    ),
]


class Evaluate(Section):
    """The evaluation."""

    queries: Annotated[tuple[Query, ...], *AS_TUPLE] = Field(examples=[[[4.0]]])
    """Input rows to predict, in the units of the table: a mapping each, such as {area: 120,
    heating: gas, sold: "2019-03-01"}, or a list of values in the order of the features; null for
    one that is missing; may be empty."""


class Export(Section):
    """The ONNX file."""

    opset: int = Field(ge=13, le=26, examples=[20])
    """The ONNX operator set to write."""
    rtol: float = Field(ge=0, lt=1, examples=[0.0])
    """Models that are not linear: allowed relative difference from torch, beyond the bound on
    rounding."""
    atol: float = Field(ge=0, examples=[0.0])
    """Models that are not linear: allowed absolute difference from torch, beyond the bound on
    rounding."""
    outputs: Annotated[tuple[Literal["prediction", "interval", "in_range"], ...], *AS_TUPLE] = (
        Field(min_length=1, examples=[["prediction"]])
    )
    """Outputs of the file: prediction (always there); interval, the lower and upper end of the 95 %
    prediction interval: of plain least squares (exact) its own, else calibrated on the rows held
    out; in_range, true if a row lies in the training range."""


Language = Literal["en", "zh"]
"""A language of reports/report.html: English or Chinese."""


class Report(Section):
    """The report for people, reports/report.html. No key here changes a figure."""

    language: Language = Field(examples=["en"])
    """The language of its sentences: en (English) or zh (Chinese)."""


ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/:]+$")]


class Tracking(Section):
    """The MLflow run. No key here changes a result."""

    experiment: str = Field(min_length=1, max_length=250, examples=["abline"])
    """The MLflow experiment."""
    model_name: ModelName | None = Field(examples=["abline"])
    """Registered model of which each verified model becomes a version; null: register none."""


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0, lt=2**63, examples=[0])
    """Seed of every random number of the job."""
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export
    report: Report
    tracking: Tracking

"""The settings of data.weights: the column that says how much each row counts.

A name is short for a mapping: `weights: w` for `weights: {by: w, kind: precision}`.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from pipeline.settings.keys.section import Name, Section, one_of


class Weights(Section):
    """The weights of the rows."""

    one_key: ClassVar[bool] = True

    by: Name
    """Column of numbers that are not negative; a row with the weight 0 is left out."""
    kind: Annotated[Literal["precision", "frequency"], one_of("precision", "frequency")] = (
        "precision"
    )
    """precision: the variance of a row's error is that of others over its weight; frequency: a row
    stands for so many equal rows, a whole number."""

    @property
    def are_frequencies(self) -> bool:
        """True if each row stands for as many equal ones as its weight says."""
        return self.kind == "frequency"

    def plain(self) -> Any:
        """Return the settings for ids and for MLflow: the name alone if it says all."""
        return self.by if self.kind == "precision" else self.model_dump()


def _long_form(value: Any) -> Any:
    """Return the mapping that a name is short for."""
    if value is None or isinstance(value, Weights) or (isinstance(value, dict) and "by" in value):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError(
            "weights",
            "must be the name of a column, a mapping such as {by: count, kind: frequency}, or null",
        )
    return {"by": value}


RowWeights = Annotated[
    Weights | None, BeforeValidator(_long_form, json_schema_input_type=Name | Weights | None)
]

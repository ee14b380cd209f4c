"""The setting data.targets: the columns to predict, and the scale on which each is fitted.

`targets: [price]` fits the price as it is, `targets: {price: log}` its natural logarithm.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, GetCoreSchemaHandler, Tag
from pydantic_core import CoreSchema, core_schema

from pipeline.settings.keys.section import AS_TUPLE, Name, list_or_mapping, one_of

Scale = Literal["none", "log"]
"""none: the column as it is. log: its natural logarithm."""
OWN_UNIT = "own_unit_"
"""Begins the names of figures in the target's own unit, beside those of what is fitted."""

_Written = Annotated[
    Annotated[tuple[Name, ...], Field(min_length=1), *AS_TUPLE, Tag("\0list")]
    | Annotated[
        dict[Name, Annotated[Scale, one_of("none", "log")]], Field(min_length=1), Tag("\0mapping")
    ],
    Discriminator(
        list_or_mapping,
        custom_error_type="targets",
        custom_error_message="must be a list of names, such as [price], or a mapping of names to"
        " scales, such as {price: log}",
    ),
]


class Targets(tuple[str, ...]):
    """The names of the targets, in order; `logs` are those of which the logarithm is fitted."""

    logs: frozenset[str]

    def __new__(cls, names: Iterable[str], logs: Iterable[str] = ()) -> "Targets":
        """Return the targets. logs: some of the names."""
        targets = super().__new__(cls, names)
        targets.logs = frozenset(logs)
        return targets

    @classmethod
    def of(cls, written: Iterable[str] | Mapping[str, Scale]) -> "Targets":
        """Return the targets that params.yaml writes as a list or as a mapping.

        To DVC and to our ids two mappings are equal in any order, so their names are sorted.
        """
        if isinstance(written, Targets):
            return written
        if not isinstance(written, Mapping):
            return cls(written)
        return cls(sorted(written), (name for name, scale in written.items() if scale == "log"))

    def plain(self) -> Any:
        """Return them as params.yaml writes them, for ids and for MLflow: a list if none is a log.

        In a mapping without logs the names alone matter, so the ids are those of the list.
        """
        if not self.logs:
            return tuple(self)
        return {name: "log" if name in self.logs else "none" for name in self}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic to check what is written, then to make targets of it."""
        return core_schema.no_info_after_validator_function(
            cls.of,
            handler.generate_schema(_Written),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.plain),
        )


def names(written: Any) -> tuple[str, ...]:
    """Return the names in a data.targets that was recorded, of this version or an older one."""
    return tuple(Targets.of(written or ()))


def logs(written: Any) -> frozenset[str]:
    """Return the names whose logarithm is fitted, in a data.targets that was recorded."""
    return Targets.of(written or ()).logs

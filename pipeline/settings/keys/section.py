"""The base of the sections of params.yaml, and the types that their keys share."""

import difflib
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from pipeline.settings import terminal


def a_list(value: Any) -> Any:
    """Refuse a set: pydantic takes one for a tuple, in the order of the hash seed."""
    if not isinstance(value, list):
        raise PydanticCustomError("list", "must be a list")
    return value


# Lists become tuples, so that nothing can change them; the numbers inside stay strict.
AS_TUPLE = (BeforeValidator(a_list), Strict(False))


def one_of(*choices: str, or_else: str = "") -> BeforeValidator:
    """Return a check that a text is one of `choices`, with all of them in one sentence.

    or_else: what a value that is no text must be, such as "a number"; its type checks it. Without
    `or_else` it is refused.
    """

    def check(value: Any) -> Any:
        is_other = or_else and isinstance(value, int | float) and not isinstance(value, bool)
        if not is_other and (not isinstance(value, str) or value not in choices):
            raise one_of_error(value, choices, or_else)
        return value

    return BeforeValidator(check)


def one_of_error(value: Any, choices: tuple[str, ...], or_else: str = "") -> PydanticCustomError:
    """Return the error for a value that is none of `choices`."""
    *most, last = (*choices, or_else) if or_else else choices
    text = f"must be {', '.join(most)}{' or ' if most else ''}{last}"
    near = difflib.get_close_matches(value, choices, 1) if isinstance(value, str) else []
    return PydanticCustomError("one_of", text + "".join(f"; did you mean {n}?" for n in near))


def list_or_mapping(value: Any) -> str | None:
    """Return the tag of the type that checks `value`: without it, an error would name both types.

    The tags are no names of columns, so `messages` can take them out of an error's place.
    """
    if isinstance(value, list | tuple):
        return "\0list"
    return "\0mapping" if isinstance(value, dict) else None


def _shown(name: str) -> str:
    """Refuse a name with an invisible character: it looks like another name."""
    if hidden := terminal.invisible(name):
        codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(set(hidden)))
        raise PydanticCustomError("invisible", f"must have no invisible character; it has {codes}")
    return name


Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        json_schema_extra={"pattern": rf"^[^\t\n{terminal.INVISIBLE}]*$"},
    ),
    AfterValidator(_shown),
]
Names = Annotated[tuple[Name, ...], *AS_TUPLE]


class Section(BaseModel):
    """A block of params.yaml. Every key must be there: the file is the record of the job.

    one_key: True if stages declare the section as one parameter, and not each of its keys.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )
    one_key: ClassVar[bool] = False

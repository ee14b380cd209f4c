"""A column of categories: texts, and whatever a table's reader may have made of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._column import Column, WrongValueError, is_gap
from abline_client._messages import likely, shown


class CategoryColumn(Column):
    """A column of categories."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        super().__init__(entry)
        self.levels: dict[str, int] = {level["name"]: level["rows"] for level in entry["levels"]}
        """The rows of each level."""
        self._takes_gaps: bool = entry["has_missing"]
        self._takes_unseen: bool = entry["unseen"] != "refuse"
        self._unseen_in_range = entry["unseen"] == "rare" and entry["rare_rows"] > 0
        known: dict[Any, str] = {name: name for name in self.levels}
        if self._takes_gaps:
            known |= {"": "", None: ""}
        self._plain_texts = frozenset({*known.values()})
        arrays = {value: _texts([text]) for value, text in known.items()}
        self.single = arrays.__getitem__

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """See Column.array."""
        if values.dtype.kind not in "OUTbiuf":
            raise WrongValueError(f"must be text, found {values.dtype}")
        objects = values.tolist()
        try:
            if all(map(self._plain_texts.__contains__, objects)):
                return _texts(objects)
        except TypeError:  # a value that has no hash, such as a list
            pass
        distinct: dict[tuple[type, Any], str | WrongValueError] = {}
        texts = []
        for value in objects:
            # With its type, because True, 1 and 1.0 are equal, and three texts.
            key = type(value), value
            try:
                text = distinct.get(key)
            except TypeError:
                key, text = (type(value), id(value)), None
            if text is None:
                text = distinct[key] = self._text(value)
            texts.append(text)
        wrong = [row for row, text in enumerate(texts) if isinstance(text, WrongValueError)]
        if wrong:
            raise WrongValueError(str(texts[wrong[0]]), wrong[0], len(wrong) - 1)
        return _texts(texts)

    def _text(self, value: Any) -> str | WrongValueError:
        """Return the text of a value; the mistake if the model cannot answer it."""
        if is_gap(value):
            if self._takes_gaps:
                return ""
            return WrongValueError(
                "found no value, and the model was made without a level for gaps"
            )
        if isinstance(value, bool | np.bool_):
            text = "true" if value else "false"
        elif isinstance(value, int | np.integer):
            text = str(int(value))
        elif isinstance(value, float | np.floating):
            # A column of integers with gaps is read as floats by some libraries.
            names = {repr(float(value)), str(int(value)) if value.is_integer() else ""}
            known = [name for name in names if name in self.levels]
            if len(known) != 1:
                return WrongValueError(f"must be text, found the number {value!r}; {self._known()}")
            text = known[0]
        elif isinstance(value, str):
            text = str(value)
        else:
            return WrongValueError(f"must be text, found {value!r:.60}")
        if text in self.levels:
            return text
        if not self._takes_unseen:
            hint = likely(text, [*self.levels])
            return WrongValueError(
                f"found {text!r:.60}, which no training row has; {self._known()}"
                + f"; {hint}" * bool(hint)
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            return WrongValueError(f"found {text!r:.60}, which is no Unicode text")
        return text

    def _known(self) -> str:
        return f"known are {shown(self.levels)}"

    def restored(self, values: Sequence[Any]) -> NDArray[Any]:
        """See Column.restored."""
        return _texts(["" if value is None else value for value in values])

    def in_range(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See Column.in_range."""
        inside = {name: rows > 0 for name, rows in self.levels.items()}
        inside[""] = self._takes_gaps and self.missing_rows > 0
        unseen = self._unseen_in_range
        return np.array([inside.get(text, unseen) for text in x.tolist()], np.bool_)


def _texts(values: Sequence[Any]) -> NDArray[Any]:
    """Return texts as an array of objects: an array of NumPy's texts loses zero bytes at ends."""
    texts = np.fromiter(values, object, len(values))
    texts.flags.writeable = False
    return texts

"""Answer the rows of a table with a model.onnx, block by block: a file of any size.

The columns go by their names, in any order; others may be there. The answers come in the order of
the rows: of each target the prediction and, where the model has them, the ends of its 95 %
prediction interval; and in_range. With --keep the columns of the rows stand before them, as they
were written.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from abline_client import ContractError, Model, load
from numpy.typing import NDArray

from pipeline.report import answers
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import raw, source, table
from pipeline.tables.source import Source


class Report:
    """What is to be said of the rows that were answered."""

    def __init__(self, model: Model, rows: Source) -> None:
        self.rows = self.outside = self.overflowed = 0
        self.rounded = False
        """Whether a number was not one of the model's precision."""
        entry = model.contract["input"]
        self._names, self._dtype, self._place = model.features, model.dtype, rows.files[0]
        self._low = np.array([feature["min"] for feature in entry["features"]])
        self._high = np.array([feature["max"] for feature in entry["features"]])
        self._beyond = np.zeros(len(model.features), np.int64)
        self._exact = self._dtype == np.float64 or set(rows.float32) == set(model.features)

    def take(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Look at a block of rows, and give it as the model takes it: [rows, features].

        values: [rows, features], column-major and finite.
        Raises UserError for a number that the model's precision does not hold.
        """
        x = np.empty(values.shape, self._dtype)
        outside: NDArray[np.bool_] | None = None
        for index, column in enumerate(values.T):
            with np.errstate(over="ignore"):
                x[:, index] = column
                smallest, largest = np.array([column.min(), column.max()]).astype(self._dtype)
            if not self._exact and not self.rounded:
                self.rounded = not np.array_equal(x[:, index], column)
            if not (np.isfinite(smallest) and np.isfinite(largest)):
                row = int(np.argmax(~np.isfinite(x[:, index])))
                raise UserError(
                    f"{self._place}: row {self.rows + row + 1} has {show(self._names[index])} ="
                    f" {column[row]:g}, beyond {self._dtype}, which the model takes; put it right,"
                    " or take the row away"
                )
            if smallest < self._low[index] or largest > self._high[index]:
                beyond = (x[:, index] < self._low[index]) | (x[:, index] > self._high[index])
                self._beyond[index] += np.count_nonzero(beyond)
                outside = beyond if outside is None else outside | beyond
        self.rows += len(x)
        self.outside += 0 if outside is None else int(np.count_nonzero(outside))
        return x

    def told(self) -> Iterator[str]:
        """The lines for stderr."""
        if self.rounded:
            yield f"note: the model takes {self._dtype}: each number was rounded to it, once"
        if self.overflowed:
            yield (
                f"warning: the answers to {count(self.overflowed, 'row', ',')} are beyond"
                f" {self._dtype}, and stand as infinite"
            )
        if self.outside:
            worst = np.argsort(-self._beyond, kind="stable")[:5]
            shown = [f"{self._names[i]} ({self._beyond[i]:,})" for i in worst if self._beyond[i]]
            yield (
                f"warning: {self.outside:,} of {count(self.rows, 'row', ',')} lie outside the"
                f" training range, where nobody knows how good the answers are: {', '.join(shown)}"
            )


def predict(model: Model, rows: Source, out: Path, keep: bool = False) -> Report:
    """Write the answers to `rows` into `out`, whole or not at all.

    keep: write all columns that the rows have, too, before the answers.
    Raises UserError for rows that the model cannot answer.
    """
    report = Report(model, rows)
    columns = answers.columns(model)
    schema = pa.schema([(name, kind) for name, (_, _, kind) in columns.items()])
    with ExitStack() as opened:
        # A link is replaced, not followed: it may lead into DVC's cache, to what a commit has.
        partial = opened.enter_context(files.whole(out))
        kind = out.suffix.lower()
        write = opened.enter_context(
            answers.beside(partial, kind, schema, rows)
            if keep
            else answers.alone(partial, kind, schema)
        )
        for block in rows.whole_blocks():
            if not len(block.values):
                continue
            found = model.answers(report.take(block.values), check=False)
            finite = np.logical_and.reduce([np.isfinite(a).all(axis=1) for a in found.values()])
            report.overflowed += len(finite) - int(np.count_nonzero(finite))
            arrays = [table.array(found[o][:, i], kind) for o, i, kind in columns.values()]
            write(pa.Table.from_arrays(arrays, schema=schema), block)
    return report


def _leads_to_itself(link: Path) -> bool:
    target = link.parent / link.readlink()
    return target.parent.resolve() / target.name == link.parent.resolve() / link.name


def _check_out(out: Path, rows: Path) -> None:
    kinds = (".csv", *raw.PARQUET)
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise UserError(
            f"--out: {show(str(out))} is a pipe or a device, and the answers replace a file as a"
            f" whole; must be a file that ends with {', '.join(kinds)}"
        )
    if out.suffix.lower() not in kinds:
        raise UserError(f"--out: found {show(str(out))}; must end with {', '.join(kinds)}")
    if out.is_dir():
        raise UserError(f"--out: {show(str(out))} is a folder; must be a file")
    if out.exists() and rows.exists() and out.samefile(rows):
        raise UserError(f"--out: found {show(str(out))}, the rows themselves; name another file")


def main() -> None:
    """Read the command line and answer."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", type=Path, help="a CSV or Parquet file with the model's features")
    parser.add_argument("--out", type=Path, required=True, help="the .csv or .parquet to write")
    parser.add_argument(
        "--keep", action="store_true", help="write the columns of the rows before their answers"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=files.ONNX,
        help=f"the ONNX file, or the folder that it is in with its contract ({files.ONNX})",
    )
    asked = parser.parse_args()
    with runner.program(again="this command"):
        _check_out(asked.out, asked.rows)
        led_to = asked.out.readlink() if asked.out.is_symlink() else None
        stays = led_to is not None and not _leads_to_itself(asked.out)
        model = _opened(asked.model)
        rows = source.rows_of(asked.rows, model.features, asked.keep)
        report = predict(model, rows, asked.out, asked.keep)
        for line in report.told():
            print(line, file=sys.stderr)
        if led_to is not None:
            kept = f"; {led_to} is as it was" if stays else ""
            print(
                f"note: {asked.out} was a link to {led_to}, and is a file now{kept}",
                file=sys.stderr,
            )
        print(f"{asked.out}: {count(report.rows, 'row', ',')}")
    runner.leave()


def _opened(path: Path) -> Model:
    """The model. Raises UserError if it is not there, or not what its contract says."""
    try:
        return load(path)
    except ContractError as error:
        raise UserError(str(error)) from None
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename}: there is no such file; `make repro` makes the model"
        ) from None


if __name__ == "__main__":
    main()

"""Files between the stages: their paths, and how to write one so that it is whole or not there."""

import csv
import io
import json
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import processes, regular_file

RAW = Path("data/raw")
TRAIN = Path("data/train.parquet")
TEST = Path("data/test.parquet")
MODEL = Path("models/model.safetensors")
ONNX = Path("models/model.onnx")
CONTRACT = Path("models/contract.json")
HISTORY = Path("reports/history.csv")
METRICS = Path("reports/metrics.json")
COEFFICIENTS = Path("reports/coefficients.csv")
PREDICTIONS = Path("reports/predictions.csv")
PLOTS = Path("reports/plots")
VERIFICATION = Path("reports/verification.json")
CARD = Path("reports/model_card.md")
RUN = Path("reports/run.json")
OURS = Path(".dvc/tmp/abline")  # under `root`: files that are no results, such as locks
SECONDS_KEPT = 24 * 3600.0  # for unfinished files of processes on other machines


def root() -> Path:
    """Return the repository: under DVC the main checkout, also for `dvc exp run --temp`."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


@contextmanager
def whole(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a temporary name to write to; rename it to `path` only if the block succeeds.

    replace: False leaves a file that another process has put at `path` meanwhile.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_dead(path.parent, re.escape(path.name))
    partial = partial_name(path)
    try:
        yield partial
        if replace:
            partial.replace(path)
        else:
            _place(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def partial_name(path: Path) -> Path:
    """Return the temporary name of `path` for this process; no other process has the same."""
    return path.with_name(f"{path.name}.{processes.mark()}.partial")


def remove_dead(folder: Path, names: str) -> None:
    """Remove the temporary files in a folder that killed processes have left.

    names: a regular expression for the final names. Whether a process of another machine still
    runs is not known: its files are removed when they are a day old.
    """
    marked = rf"(?:{names})\.(?P<mark>\d+-\d+-[0-9a-f]{{8}})\.partial(-journal)?"
    marked_paths = []
    with suppress(OSError):  # a folder that cannot be listed may still be writable
        marked_paths = [(path, re.fullmatch(marked, path.name)) for path in folder.iterdir()]
    for path, named in marked_paths:
        with suppress(OSError):  # another process may remove it first
            if named is None or not (
                processes.is_dead(named["mark"])
                or time.time() - path.lstat().st_mtime > SECONDS_KEPT
            ):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _place(partial: Path, path: Path) -> None:
    """Rename a file to a name that is free; leave it if the name is taken."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        if not path.exists():
            partial.replace(path)


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, whole or not at all."""
    with whole(path) as partial:
        partial.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON with sorted keys; floats take the shortest form that reads back equal.

    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Return the bytes that `write_json` writes."""
    text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a CSV file with a header line, Unix line ends and quotes only where needed.

    Text that a spreadsheet would compute is changed by `safe`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(safe(header))
    writer.writerows(map(safe, rows))
    write_bytes(path, text.getvalue().encode())


# A spreadsheet takes text with this beginning for a formula. A sign before a plain word or number,
# such as "-x" or "-1e-5", is harmless, and is not changed.
_FORMULA = re.compile(r"'*([=@\t\r]|[-+](?!([\w .%]*|[\d.]+[eE][-+]?\d+ *)$))")


def safe(cells: Iterable[Any]) -> list[Any]:
    """Return cells of a CSV, with an apostrophe before text that a spreadsheet would compute."""
    return [
        f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in cells
    ]


def restored(cells: Iterable[str]) -> list[str]:
    """Return the cells as they were before `safe`."""
    return [cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell for cell in cells]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file that `write_csv` wrote; each is a dict by column."""
    lines = io.StringIO(regular_file.text(path, regular_file.MADE_ANEW), newline="")
    header, *rows = map(restored, csv.reader(lines))
    return [dict(zip(header, row, strict=True)) for row in rows]


def shortest(values: NDArray[np.floating[Any]]) -> list[float]:
    """Return floats that Python prints in the shortest form that reads back as the same `values`.

    For float32 this form is shorter than that of the same number as float64: 0.1, not
    0.10000000149011612.
    """
    return [float(str(value)) for value in values]


def nine_digits(loss: float) -> float:
    """Return nine digits: all that float32 has, and hardly one that depends on a sum's order."""
    return float(f"{loss:.9g}")

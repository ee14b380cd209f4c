"""Files of the pipeline: their paths, and writing a file whole or not at all."""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.settings import processes

RAW = Path("data/raw")  # a dependency of `generate`
TRAIN = Path("data/train.parquet")
TEST = Path("data/test.parquet")
COLUMNS = Path("data/columns.json")
SUMMARY = Path("data/summary.json")
SAMPLE = Path("data/sample.parquet")
SOURCE_ROWS = Path("data/source_rows.parquet")
SOURCE_ROWS_TEST = Path("data/source_rows_test.parquet")
MODEL = Path("models/model.safetensors")
ONNX = Path("models/model.onnx")
CONTRACT = Path("models/contract.json")
HISTORY = Path("reports/history.csv")
PATH = Path("reports/path.csv")
METRICS = Path("reports/metrics.json")
COEFFICIENTS = Path("reports/coefficients.csv")
INFLUENCE = Path("reports/influence.csv")
PREDICTIONS = Path("reports/predictions.csv")
LARGEST_ERRORS = Path("reports/largest_errors.csv")
PLOTS = Path("reports/plots")
VERIFICATION = Path("reports/verification.json")
CARD = Path("reports/model_card.md")
REPORT = Path("reports/report.html")
RUN = Path("reports/run.json")
COMPARISON = Path("reports/comparison.md")  # of no stage: `compare --markdown` writes it
SWEEP = Path("reports/sweep.csv")  # not a result: git ignores it
SWEEP_PLOT = Path("reports/sweep.svg")
STATE_FOLDER = Path(".dvc/tmp/abline")  # under `root`: checkpoints, locks, results not tracked yet
SECONDS_KEPT = 24 * 3600.0  # for unfinished files of processes on other machines


def root() -> Path:
    """Return the repository: under DVC the main checkout, also for `dvc exp run --temp`."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


@contextmanager
def whole(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to; rename it to `path` only if the block succeeds.

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
    except OSError as error:
        # The message names the file: no user knows the temporary name.
        if str(error.filename) == str(partial):
            error.filename = str(path)
        elif error.strerror:  # pyarrow's messages have the name in their text
            error.strerror = error.strerror.replace(str(partial), str(path))
        raise
    finally:
        with suppress(OSError):  # an error on the way says more
            partial.unlink()


def partial_name(path: Path) -> Path:
    """Return the temporary name of `path` for this process; no other process has the same."""
    return path.with_name(f"{path.name}.{processes.mark()}.partial")


def remove_dead(folder: Path, names: str) -> None:
    """Remove the temporary files in a folder that killed processes have left.

    names: a regular expression for the final names. A process of another machine cannot be seen:
    its files are removed when they are a day old.
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

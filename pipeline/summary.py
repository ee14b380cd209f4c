"""Program `summary`: print the result in a few lines, and what to type next.

Reads   params.yaml, reports/coefficients.csv, predictions.csv, metrics.json, verification.json
Writes  nothing
"""

import json
import sys
from pathlib import Path

from pipeline.report import summary
from pipeline.settings import files, regular_file, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError

REPORTS = (files.COEFFICIENTS, files.PREDICTIONS, files.METRICS, files.VERIFICATION)


def main() -> None:
    """Print the summary."""
    try:
        params = params_yaml.load()
        for path in REPORTS:
            check(path)
        try:
            text = summary.lines(params)
            change = summary.next_experiment(params)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"the files under {files.METRICS.parent} do not belong together, or not to this"
                f" params.yaml ({type(error).__name__}: {error}); `dvc repro` makes them anew"
            ) from None
    except UserError as error:
        sys.exit(f"error: {error}")
    print("\n".join(text))
    print("\nnext:  make ui                             the runs, in a browser")
    if change:
        print(f"       {f'dvc exp run -S {change}':35} another run, to compare")
    print("       (dvc needs `. .venv/bin/activate` first)")


def check(path: Path) -> None:
    """Check that a file of the result can be read.

    Raises UserError, with the file and the command that makes it again, if it is missing,
    unreadable or damaged.
    """
    try:
        with regular_file.opened(path, regular_file.MADE_ANEW) as file:
            text = file.read().decode("utf-8")
        if path.suffix == ".json" and not isinstance(json.loads(text), dict):
            raise ValueError("found a list or a value; must be an object")
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except OSError as error:
        raise UserError(str(runner.told(error))) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: damaged ({error}); `dvc repro` makes it anew") from None


if __name__ == "__main__":
    main()

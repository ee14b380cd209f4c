"""Program `describe`: profile a table, and propose what params.yaml should say of it.

Prints how the file is written, a line for each column, and what is remarkable. With --write the
proposal is put into params.yaml: data.source, read, features, exclude, targets, drop_rows,
test_fraction, train.optimizer and evaluate.queries; the rest of the file is kept. It guesses, and
each doubtful choice has a comment that says why: read them before you train.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.profiling import choosing, job, page, query, remarks
from pipeline.settings import files, params, runner, yaml_file


def main() -> None:
    """Read the command line and describe."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.describe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("table", type=Path, help="a file of any kind that data.source can name")
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME", help="a column to predict; again"
        " for another one"
    )  # fmt: skip
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="NAME", help="a column that is no feature"
    )
    parser.add_argument("--write", action="store_true", help="put the proposal into params.yaml")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    options = parser.parse_args()
    with runner.program(again="this command"):
        describe(options.table, options.target, options.exclude, options.write, options.json)
    runner.leave()


def describe(
    table: Path, targets: Sequence[str], excluded: Sequence[str], write: bool, as_json: bool
) -> None:
    """Print the profile; with `write` put the proposal into params.yaml.

    Raises UserError, before anything is written, if there is no such table, target or column, if no
    column can be a feature, or if params.yaml is not valid as it is.
    """
    if write:
        source = choosing.source_of(table)
        document = yaml_file.text_of(params.PATH)
        params.parse(document)
    profile, proposal = choosing.of(table, targets, excluded)
    row = query.row(profile, proposal)
    notes = remarks.of(profile, proposal)
    if write:
        text = job.written(document, source, proposal, row)
        files.write_bytes(params.PATH, text.encode())
    if as_json:
        value = page.json_of(profile, proposal, notes, row)
        print(json.dumps(value, indent=2, ensure_ascii=False))
    else:
        print("\n".join(page.lines(profile, proposal, notes)))
    if write:
        print(
            f"{params.PATH}: the proposal is in it, and its doubts as comments; read them"
            f" (`git diff {params.PATH}`), then `dvc exp run`",
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()

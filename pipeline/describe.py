"""Program `describe`: profile a table, and propose what params.yaml should say of it.

Prints how the file is written, a line for each column, and what is remarkable. With --write the
proposal is put into params.yaml: data.source, read, features, exclude, targets, drop_rows,
test_fraction, train.optimizer and evaluate.queries; the rest of the file is kept. It guesses, and
each doubtful choice has a comment that says why: read them before you train.
"""

import argparse
import json
import sys
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
        if options.write:
            source = choosing.source_of(options.table)
            document = yaml_file.text_of(params.PATH)
        profile, proposal = choosing.of(options.table, options.target, options.exclude)
        row = query.row(profile, proposal)
        notes = remarks.of(profile, proposal)
        if options.write:
            text = job.written(document, source, proposal, row)
            files.write_bytes(params.PATH, text.encode())
        if options.json:
            value = page.json_of(profile, proposal, notes, row)
            print(json.dumps(value, indent=2, ensure_ascii=False))
        else:
            print("\n".join(page.lines(profile, proposal, notes)))
        if options.write:
            print(f"{params.PATH}: written; read it, then `dvc repro`", file=sys.stderr)
    runner.leave()


if __name__ == "__main__":
    main()

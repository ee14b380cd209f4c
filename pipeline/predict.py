"""Answer the rows of a table with a model.onnx, block by block: a file of any size.

The file may be of any kind that data.source may be, and is read as the training table was; --read
says what is different. The columns are found by their names, in any order; other columns may be
there. The answers have the order of the rows: for each target the prediction and, where the model
has them, the ends of its 95 % prediction interval; and in_range. A row that the model cannot
answer, because a value is missing or of no known level, gets an empty field. With --keep the
columns of the rows are written before the answers, unchanged.
"""

import argparse
import sys
from pathlib import Path

from abline_client import ContractError, Model, load

from pipeline.answers import answer_file, answers, rows_to_answer
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count


def main() -> None:
    """Read the command line and answer."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.predict",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", type=Path, help="a table with the model's features")
    parser.add_argument("--out", type=Path, required=True, help="the .csv or .parquet to write")
    parser.add_argument(
        "--keep", action="store_true", help="write the columns of the rows before their answers"
    )
    parser.add_argument(
        "--model",
        type=Path,
        default=files.ONNX,
        help=f"the ONNX file, or the folder that has it and its contract ({files.ONNX})",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse a table with a row that cannot be answered"
    )
    parser.add_argument(
        "--read",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="how the file is written, by the keys of data.read: 'separator=;' 'decimal=,'",
    )
    options = parser.parse_args()
    out: Path = options.out
    with runner.program(again="this command"):
        answer_file.check_path(out, options.rows)
        link_note = answer_file.link_note(out)
        model = _opened(options.model)
        rows = rows_to_answer.opened(model, options.rows, options.read, options.keep)
        answered = answers.write(model, rows, out, options.keep, options.strict)
        for line in (*answered.notes(), *link_note):
            print(line, file=sys.stderr)
        print(f"{out}: {count(answered.rows, 'row', ',')}")
    runner.leave()


def _opened(path: Path) -> Model:
    """Open the model. Raises UserError if it is missing, or does not keep its contract."""
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

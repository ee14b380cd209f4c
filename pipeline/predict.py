"""Answer the rows of a table with a model.onnx, block by block: a file of any size.

The columns are found by their names, in any order; other columns may be there. The answers have the
order of the rows: for each target the prediction and, where the model has them, the ends of its
95 % prediction interval; and in_range. With --keep the columns of the rows are written before them,
unchanged.
"""

import argparse
import sys
from pathlib import Path

from abline_client import ContractError, Model, load

from pipeline.report import answers
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import raw_files, raw_table


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
        help=f"the ONNX file, or the folder that has it and its contract ({files.ONNX})",
    )
    options = parser.parse_args()
    out: Path = options.out
    with runner.program(again="this command"):
        check_out(out, options.rows)
        link_target = out.readlink() if out.is_symlink() else None
        leads_elsewhere = link_target is not None and not _leads_to_itself(out)
        model = _opened(options.model)
        rows = raw_table.rows_to_answer(options.rows, model.features, options.keep)
        answered = answers.write(model, rows, out, options.keep)
        for line in answered.notes():
            print(line, file=sys.stderr)
        if link_target is not None:
            unchanged = f"; {link_target} is unchanged" if leads_elsewhere else ""
            print(
                f"note: {out} was a link to {link_target}, and is a file now{unchanged}",
                file=sys.stderr,
            )
        print(f"{out}: {count(answered.rows, 'row', ',')}")
    runner.leave()


def check_out(out: Path, rows: Path) -> None:
    """Raise UserError if the answers cannot be written to `out`, or would replace the rows."""
    suffixes = (".csv", *raw_files.PARQUET)
    if out.exists() and not (out.is_file() or out.is_dir()):
        raise UserError(
            f"--out: {show(str(out))} is a pipe or a device, and the answers replace a file as a"
            f" whole; must be a file that ends with {', '.join(suffixes)}"
        )
    if out.suffix.lower() not in suffixes:
        raise UserError(f"--out: found {show(str(out))}; must end with {', '.join(suffixes)}")
    if out.is_dir():
        raise UserError(f"--out: {show(str(out))} is a folder; must be a file")
    if out.exists() and rows.exists() and out.samefile(rows):
        raise UserError(f"--out: found {show(str(out))}, the rows themselves; name another file")


def _leads_to_itself(link: Path) -> bool:
    target = link.parent / link.readlink()
    return target.parent.resolve() / target.name == link.parent.resolve() / link.name


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

"""Program `check`: check params.yaml, dvc.yaml and data/raw before `dvc repro`.

Reads   params.yaml, dvc.yaml, the names under data/raw, the .dvc file of an import
Writes  nothing; with `--schema` it prints the JSON schema of params.yaml
"""

import argparse
import sys
from pathlib import Path

from pipeline.settings import declared, params
from pipeline.settings.errors import UserError

SUFFIX = ".dvc"


def main() -> None:
    """Check params.yaml, dvc.yaml and data/raw before `dvc repro`; or print the schema."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.check",
        description="Check params.yaml, that dvc.yaml declares its keys, and that data/raw has"
        " only files and folders, which DVC can read. Prints nothing if all is right; else prints"
        " the mistakes and exits with status 1.",
    )
    parser.add_argument(
        "--schema", action="store_true", help="print the JSON schema of params.yaml instead"
    )
    if parser.parse_args().schema:
        sys.stdout.write(params.schema())
        return
    try:
        job = params.load()
        declared.check(params.flatten(job))
        declared.check_files()
        if job.data.source.endswith(SUFFIX) and Path(job.data.source).is_file():
            from pipeline.tables import imported  # 0.2 s that other tables do not need

            imported.read(Path(job.data.source))
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()

"""Program `summary`: print the result in a few lines, and commands to try next.

Reads   params.yaml, reports/coefficients.csv, predictions.csv, metrics.json, verification.json
Writes  nothing
"""

import sys

from pipeline.report import summary
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError


def main() -> None:
    """Print the summary."""
    try:
        params = params_yaml.load()
        for path in summary.REPORTS:
            summary.check_report(path)
        text = summary.lines(params)
        change = summary.next_experiment(params)
    except UserError as error:
        sys.exit(f"error: {error}")
    print("\n".join(text))
    print("\nnext:  make ui                             the runs, in a browser")
    if change:
        print(f"       {f'dvc exp run -S {change}':35} another run, to compare")
    print("       (dvc needs `. .venv/bin/activate` first)")


if __name__ == "__main__":
    main()

"""Compare results: what differs, each metric side by side, and whether one of them is better.

A name is a run's id or name, an experiment's name, a commit, or `workspace`, which is the result in
this folder. Without names HEAD is compared with the workspace, a single name with the workspace,
and of more names the first with each of the others. Both models answer the same held-out rows, and
the squared errors are compared row by row: does the 95 % interval of their mean difference contain
0? Nothing in the folder is changed.
"""

import argparse
from collections.abc import Sequence
from contextlib import ExitStack

from pipeline.report import comparison
from pipeline.results import places, recorded
from pipeline.results.gathering import reading
from pipeline.results.recorded import Recorded
from pipeline.settings import files, runner
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.tracking import side_by_side

WORKSPACE = "workspace"  # as DVC calls it


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="RUN | EXPERIMENT | COMMIT")
    parser.add_argument(
        "--markdown", action="store_true", help=f"also write the page {files.COMPARISON}"
    )
    parser.add_argument(
        "--tag", action="store_true", help="also write the sentence as a tag of B's run in MLflow"
    )
    options = parser.parse_args()
    names = options.names or ["HEAD"]
    with runner.program(again="this command"), ExitStack() as opened:
        results = [_recorded(name) for name in (names if len(names) > 1 else [*names, WORKSPACE])]
        side_by_side.check_different(results)
        with reading():
            first, *others = [opened.enter_context(recorded.opened(each)) for each in results]
        pages = [side_by_side.compared(first, other) for other in others]
        print("\n\n".join(map(comparison.as_text, pages)))
        if options.markdown:
            files.write_bytes(files.COMPARISON, comparison.page(pages).encode())
            print(f"\n{files.COMPARISON} has this page")
        if options.tag:
            _tag(pages, results[1:])
    runner.leave()


def _tag(pages: Sequence[comparison.Comparison], results: Sequence[Recorded]) -> None:
    """Write the sentence of each comparison as a tag of its B's run."""
    from pipeline.tracking import comparison_tag  # imports MLflow

    for page, result in zip(pages, results, strict=True):
        run = comparison_tag.write(params_yaml.load().tracking, result, page)
        print(f"tagged the run {run}")


def _recorded(name: str) -> Recorded:
    """Return the result with this name. Raises UserError if there is none."""
    place = places.in_folder() if name == WORKSPACE else places.named(name)
    if place is not None:
        return recorded.of_place(place, name)
    if name == WORKSPACE:
        raise UserError("this folder has no result: `dvc repro` makes it")
    # Imported here: MLflow takes two seconds, and commits and experiments do not need it.
    from pipeline.tracking.named import result_named

    return result_named(name, params_yaml.load().tracking)


if __name__ == "__main__":
    main()

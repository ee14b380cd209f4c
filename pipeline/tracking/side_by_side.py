"""Two results side by side: what differs, their metrics, and their errors on the same rows.

It needs no run and no MLflow: everything comes from git and DVC's cache.
"""

from collections.abc import Iterator, Mapping, Sequence

from pipeline.measures import fold_differences, row_errors
from pipeline.measures.fold_differences import CV_MEAN, Job
from pipeline.measures.paired_difference import PairedDifference
from pipeline.report import common_scale, penalty, row_words
from pipeline.report.comparison import Comparison
from pipeline.results import differences, places
from pipeline.results.differences import have_same_folds
from pipeline.results.gathering import fetch_advice, reading
from pipeline.results.provenance import one_line
from pipeline.results.recorded import Opened, Recorded, edited_since
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, show

TARGETS = "data.targets"
CV_STD = "cv.rmse.std"


def check_different(results: Sequence[Recorded]) -> None:
    """Raise UserError if a result is named twice, with a name to compare it with."""
    labels: dict[str, list[str]] = {}
    for each in results:
        labels.setdefault(each.md5, []).append(each.label)
    for md5, same in labels.items():
        if len(same) == 1:
            continue
        advice = ""
        if edited := [name for each in results for name in edited_since(each)]:
            advice = f"; edited since: {first_of(edited, 5)}; `dvc repro` makes the new result"
        elif (before := places.newest_other(md5)) is not None:
            advice = f"; to compare with another one: python -m pipeline.compare {before.commit:.7}"
        raise UserError(f"{' and '.join(same)} have the same result, so nothing differs{advice}")


def compared(first: Opened, other: Opened) -> Comparison:
    """Return the comparison of two results. Raises UserError if they have other targets."""
    _check_targets(first, other)
    paired: Mapping[str, PairedDifference] = {}
    reason = ""
    try:
        _check_files(first, other)
        _check_choice(first, other)
        with reading():
            paired = row_errors.paired(first.folder, other.folder)
    except UserError as error:
        reason = str(error)
    in_folds = _in_folds(first, other)
    metrics = _of_the_models(first), _of_the_models(other)
    if not _have_common_scale(first, other):
        metrics = (
            common_scale.comparable(first.recorded.params, metrics[0]),
            common_scale.comparable(other.recorded.params, metrics[1]),
        )
    return Comparison(
        (first.recorded.label, other.recorded.label),
        differences.between(first, other),
        metrics,
        paired,
        reason,
        list(_notes(first, other, paired, in_folds)),
        in_folds,
    )


def _in_folds(first: Opened, other: Opened) -> Mapping[str, PairedDifference]:
    """Return the paired differences in cross-validation; empty if they cannot be compared."""
    both = (first, other)
    if not _can_compare_folds(first, other):
        return {}
    try:
        jobs = [Job.of(each.folder, each.recorded.params, each.metrics) for each in both]
        for job, each in zip(jobs, both, strict=True):
            fold_differences.check_mean(job, each.metrics)
        return fold_differences.paired(*jobs)
    except UserError:  # the notes then have the means alone
        return {}


def _of_the_models(result: Opened) -> dict[str, float]:
    """Return the metrics without the tests of the least-squares line, of which none is better."""
    return {k: value for k, value in result.metrics.items() if not k.startswith("diagnostics.")}


def _have_common_scale(first: Opened, other: Opened) -> bool:
    return common_scale.is_common(first.recorded.params, other.recorded.params)


def _can_compare_folds(first: Opened, other: Opened) -> bool:
    """Return True if both have figures of the same folds, and of the same scale of the targets."""
    figures = all(CV_MEAN in each.metrics for each in (first, other))
    return have_same_folds(first, other) and figures and _have_common_scale(first, other)


def _check_targets(first: Opened, other: Opened) -> None:
    targets = [list(each.recorded.params.get(TARGETS, ())) for each in (first, other)]
    if sorted(targets[0]) != sorted(targets[1]):
        of_each = " and ".join(
            f"{first_of([*map(show, names)], 5)} ({each.recorded.label})"
            for names, each in zip(targets, (first, other), strict=True)
        )
        raise UserError(
            f"{TARGETS}: found {of_each}; must be the same: errors of different targets cannot be"
            " compared; commit your job before its next experiment, or name two results of it"
            " (`dvc exp list`, `make ui`): `python -m pipeline.compare NAME NAME`"
        )


def _check_files(first: Opened, other: Opened) -> None:
    """Raise UserError if the rows or the model of a result are missing."""
    problems = []
    for each in (first, other):
        needed = {str(path) for path in (files.TEST, files.ONNX, files.CONTRACT)}
        if missing := sorted(needed & set(each.missing)):
            advice = fetch_advice([each.recorded.place])
            made = "`dvc repro` in its commit makes them again"
            problems.append(
                f"DVC's cache lacks {first_of(missing, len(missing))} of {each.recorded.label};"
                f" {advice or made}"
            )
    if problems:
        raise UserError("; ".join(problems))


def _check_choice(first: Opened, other: Opened) -> None:
    """Raise UserError if the held-out rows were chosen in another way: then they are others."""
    a, b = first.recorded.params, other.recorded.params
    changes = [
        f"{key} is {one_line(a.get(key))} and {one_line(b.get(key))}"
        for key in differences.held_out_otherwise(first.recorded, other.recorded)
    ]
    if changes:
        raise UserError(f"they hold out other rows: {', '.join(changes)}")


def _notes(
    first: Opened,
    other: Opened,
    paired: Mapping[str, PairedDifference],
    in_folds: Mapping[str, PairedDifference],
) -> Iterator[str]:
    for each in (first, other):
        if edited := edited_since(each.recorded):
            yield (
                f"Edited since the result in this folder was made: {first_of(edited, 5)};"
                " `dvc repro` makes the new result."
            )
    if paired:
        rows = next(iter(paired.values())).pairs
        for mark, each in zip("AB", (first, other), strict=True):
            if each.row_counts.get("test", rows) > rows:
                all_rows = count(each.row_counts["test"], "row", ",")
                yield f"{mark} holds out {all_rows}; the comparison is of {rows:,} of them."
        held_out = first.recorded.params.get(differences.HELD_OUT)
        if (sentence := row_words.dependence(held_out, show)) is not None:
            yield sentence
    yield from common_scale.notes(first.recorded.params, other.recorded.params, bool(in_folds))
    if in_folds:
        yield from _of_choices(first, other)
    elif not paired and _can_compare_folds(first, other):
        shown = " and ".join(
            f"{each.metrics[CV_MEAN]:.6g} ± {each.metrics.get(CV_STD, 0):.3g} ({mark})"
            for mark, each in zip("AB", (first, other), strict=True)
        )
        yield (
            f"Cross-validated on the same folds, the root mean squared error is {shown}, ± the"
            " standard deviation between folds."
        )


def _of_choices(first: Opened, other: Opened) -> Iterator[str]:
    """Yield a sentence if the folds have chosen a penalty: its errors there are too small."""
    chosen = [
        mark
        for mark, each in zip("AB", (first, other), strict=True)
        if penalty.is_chosen_by_folds(each.recorded.params)
    ]
    if chosen:
        yield (
            f"The folds have chosen the penalty of {' and of '.join(chosen)}, so the errors of"
            f" {'both' if len(chosen) > 1 else chosen[0]} in the folds are a little too small."
        )

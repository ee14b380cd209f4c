"""Look up a result by any of its names, as `track --find` does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlflow.entities import Run, ViewType

from pipeline.results import git, places
from pipeline.results.place import Place
from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking
from pipeline.tracking import complete_runs, lineage, tags
from pipeline.tracking.lineage import Match, is_complete, is_deleted
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import explained


def find(what: str, settings: Tracking) -> str:
    """Return what made a result, and the commands that make it again.

    what: a run's id or name, an experiment's name, a commit, or the path of an .onnx file.
    Raises UserError if nothing has this name.
    """
    trouble = ""
    all_runs: list[Run] = []
    try:
        store = open_store(settings.experiment)
        all_runs = _all_runs(store)
    except UserError as error:  # git alone can answer most questions
        trouble = f"\n\nwithout the runs: {error}"
    matches = list(_search(what, all_runs, places.everywhere()))
    if not matches:
        raise UserError(
            f"{what}: found no run of this id or name, no experiment, no commit with a result, no"
            " .onnx file of a result; `dvc exp list` and `make ui` show what there is" + trouble
        )
    return "\n\n".join(map(lineage.text, matches)) + trouble


def _all_runs(store: Store) -> list[Run]:
    """Return all runs in the store, newest first, deleted ones last."""
    with explained(store.uri):
        experiments = [each.experiment_id for each in complete_runs.experiments(store)]
        newest_first = store.client.search_runs(
            experiments, "", ViewType.ALL, 50_000, ["attributes.start_time DESC"]
        )
        return sorted(newest_first, key=is_deleted)


def _search(
    what: str, all_runs: Sequence[Run], all_places: Mapping[str, Sequence[Place]]
) -> Iterator[Match]:
    """Yield the results that `what` names; the first kind of name that fits counts."""

    def of_run(run: Run) -> Match:
        return Match(run, all_places.get(run.data.tags.get(tags.RESULT, ""), []))

    def of_result(md5: str) -> Match:
        same = [run for run in all_runs if run.data.tags.get(tags.RESULT) == md5]
        # The first in this order, the newest first among equals.
        same.sort(key=lambda run: (is_deleted(run), not is_complete(run), _is_superseded(run)))
        return Match(next(iter(same), None), all_places.get(md5, []))

    def with_tag(tag: str) -> list[Run]:
        return [run for run in all_runs if run.data.tags.get(tag) == what]

    if what.endswith(".onnx") or Path(what).is_file():
        md5 = md5_of_model(Path(what))
        made = [name for name, same in all_places.items() if md5 in _outs(same[0]).values()]
        tracked = [run for run in all_runs if md5 in complete_runs.outs(run).values()]
        # A result that is in both lists is named once.
        known = {run.data.tags.get(tags.RESULT) for run in tracked}
        yield from (of_run(run) for run in tracked if not _is_superseded(run))
        yield from (of_result(name) for name in made if name not in known)
        return
    by_id = [run for run in all_runs if run.info.run_id == what]
    by_name = [run for run in all_runs if run.info.run_name == what]
    if by_id or by_name:
        yield from map(of_run, by_id or by_name)
        return
    experiments = [
        md5 for md5, same in all_places.items() if any(place.experiment == what for place in same)
    ]
    if experiments:
        yield from map(of_result, experiments)
        return
    if runs_of_experiment := with_tag(tags.EXPERIMENT):
        yield from map(of_run, runs_of_experiment)
        return
    if (commit := _commit(what)) and (place := places.at(commit)) is not None:
        match = of_result(place.md5)
        # A commit on another branch is not among all places.
        others = [each for each in match.places if each.commit != commit]
        asked = [each for each in match.places if each.commit == commit] or [place]
        yield Match(match.run, [*asked, *others], commit)
        return
    part = [run for run in all_runs if what in run.info.run_name]
    yield from map(of_run, part[:1] if len(part) == 1 else ())


def _commit(what: str) -> str | None:
    """Return the hash of the commit that `what` names, if it names one."""
    if what.startswith("-"):  # git would take it for an option
        return None
    return git.ask("rev-parse", "--verify", "--quiet", f"{what}^{{commit}}")


def _outs(place: Place) -> dict[str, str]:
    """Return the md5 of each output of a result; empty if the result cannot be read."""
    with suppress(UserError):
        return dict(place.identity()["outs"])
    return {}


def _is_superseded(run: Run) -> bool:
    return tags.SUPERSEDED_BY in run.data.tags


def md5_of_model(path: Path) -> str:
    """Return the md5 of an ONNX file. Raises UserError if this pipeline did not write the file."""
    import onnx  # 0.2 s, which only a question about a file takes
    from google.protobuf.message import DecodeError

    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    with suppress(DecodeError):
        model = onnx.load(path, load_external_data=False)
        # Files of earlier versions, without a contract, have the second key.
        marks = ("abline.contract", "abline.training_id")
        if any(entry.key in marks for entry in model.metadata_props):
            return dvc_md5.of(path)
    raise UserError(f"{path}: not an ONNX file that this pipeline wrote: it carries no contract")

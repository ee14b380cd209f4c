"""Look up a result by any of its names, for `track --find` and `compare`."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlflow.entities import Run, ViewType

from pipeline.results import git, places
from pipeline.results.place import Place
from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.settings.params import Tracking
from pipeline.tracking import complete_runs, lineage, served_model, tags
from pipeline.tracking.lineage import Match, is_complete, is_deleted
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import explained

MOST_NEAR_NAMES = 3


def lineage_of(name: str, settings: Tracking) -> str:
    """Return the lineage of a result, and the commands that make it again.

    name: a run's id or name, an experiment's name, a commit, or the path of an .onnx file.
    Raises UserError if no result or run has this name.
    """
    matches, problem = find(name, settings)
    return "\n\n".join(map(lineage.as_text, matches)) + problem


def find(name: str, settings: Tracking) -> tuple[list[Match], str]:
    """Return the results with this name, and the end of a message if the store cannot be used.

    name: see `lineage_of`. Raises UserError if no result or run has this name.
    """
    problem = ""
    all_runs: list[Run] = []
    try:
        store = open_store(settings.experiment)
        all_runs = _all_runs(store)
    except UserError as error:  # git alone can answer most questions
        problem = f"\n\nwithout the runs: {error}"
    all_places = places.everywhere()
    if matches := list(_search(name, all_runs, all_places)):
        return matches, problem
    if commit := places.commit_named(name):
        raise UserError(
            f"{name}: commit {commit[:7]} has no result: the dvc.lock in it is of no `dvc repro`"
            " that reached its end; `git log --oneline -- dvc.lock` lists commits with one"
            + problem
        )
    raise UserError(
        f"{name}: found no run of this id or name, no experiment, no commit with a result, no"
        f" .onnx file of a result{_near(name, all_runs, all_places)}; `dvc exp list -A` and"
        " `make ui` list the names" + problem
    )


def _near(name: str, all_runs: Sequence[Run], all_places: Mapping[str, Sequence[Place]]) -> str:
    """Return a question with the names of runs, experiments and branches that are near."""
    names = {str(run.info.run_name) for run in all_runs}
    names |= {
        place.experiment for same in all_places.values() for place in same if place.experiment
    }
    names |= set((git.ask("for-each-ref", "--format=%(refname:short)") or "").splitlines())
    near = difflib.get_close_matches(name, sorted(names), MOST_NEAR_NAMES)
    return f"; did you mean {' or '.join(map(show, near))}?" if near else ""


def _all_runs(store: Store) -> list[Run]:
    """Return all runs in the store, newest first, deleted ones last."""
    with explained(store.uri):
        experiments = [each.experiment_id for each in complete_runs.experiments(store)]
        newest_first = store.client.search_runs(
            experiments, "", ViewType.ALL, 50_000, ["attributes.start_time DESC"]
        )
        return sorted(newest_first, key=is_deleted)


def _search(
    name: str, all_runs: Sequence[Run], all_places: Mapping[str, Sequence[Place]]
) -> Iterator[Match]:
    """Yield the results with this name; the first kind of name that fits counts."""

    def of_run(run: Run) -> Match:
        return Match(run, all_places.get(run.data.tags.get(tags.RESULT, ""), []))

    def of_result(md5: str) -> Match:
        same = [run for run in all_runs if run.data.tags.get(tags.RESULT) == md5]
        # Best first; of equal ones the newest is first.
        same.sort(key=lambda run: (is_deleted(run), not is_complete(run), _is_superseded(run)))
        return Match(next(iter(same), None), all_places.get(md5, []))

    def with_tag(tag: str) -> list[Run]:
        return [run for run in all_runs if run.data.tags.get(tag) == name]

    if name.endswith(".onnx") or Path(name).is_file():
        md5 = md5_of_model(Path(name))
        in_places = [
            result_md5
            for result_md5, same in all_places.items()
            if md5 in _md5s_at(same[0]).values()
        ]
        tracked = [run for run in all_runs if md5 in complete_runs.out_md5s(run).values()]
        # A result that is in both lists is named once.
        known = {run.data.tags.get(tags.RESULT) for run in tracked}
        yield from (of_run(run) for run in tracked if not _is_superseded(run))
        yield from (of_result(result_md5) for result_md5 in in_places if result_md5 not in known)
        return
    by_id = [run for run in all_runs if run.info.run_id == name]
    by_name = [run for run in all_runs if run.info.run_name == name]
    if by_id or by_name:
        yield from map(of_run, by_id or by_name)
        return
    experiments = [
        md5 for md5, same in all_places.items() if any(place.experiment == name for place in same)
    ]
    if experiments:
        yield from map(of_result, experiments)
        return
    if runs_of_experiment := with_tag(tags.EXPERIMENT):
        yield from map(of_run, runs_of_experiment)
        return
    if (commit := places.commit_named(name)) and (place := places.at(commit)) is not None:
        match = of_result(place.md5)
        # A commit on another branch is not among all places.
        others = [each for each in match.places if each.commit != commit]
        asked = [each for each in match.places if each.commit == commit] or [place]
        yield Match(match.run, [*asked, *others], commit)
        return
    similar = [run for run in all_runs if name in run.info.run_name]
    yield from map(of_run, similar if len(similar) == 1 else ())


def _md5s_at(place: Place) -> dict[str, str]:
    """Return the md5 of each output of a result; empty if the result cannot be read."""
    with suppress(UserError):
        return dict(place.identity()["outs"])
    return {}


def _is_superseded(run: Run) -> bool:
    return tags.SUPERSEDED_BY in run.data.tags


def md5_of_model(path: Path) -> str:
    """Return the md5 of an ONNX file. Raises UserError if this pipeline did not write the file."""
    import onnx  # takes 0.2 s, and only a question about a file needs it
    from google.protobuf.message import DecodeError

    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    with suppress(DecodeError):
        model = onnx.load(path, load_external_data=False)
        # Files of older versions have no contract, but the second key.
        marks = (served_model.METADATA_KEY, "abline.training_id")
        if any(entry.key in marks for entry in model.metadata_props):
            return dvc_md5.of(path)
    raise UserError(f"{path}: not an ONNX file that this pipeline wrote: it carries no contract")

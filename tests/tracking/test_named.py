"""The one result that a name stands for, also if only its run is left."""

import pytest
from commits import replay_all
from compared import Results
from compared import results_fixture as results_fixture
from conftest import job, tracked_runs

from pipeline.measures import row_errors
from pipeline.results import places, recorded
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tracking import comparison_tag, side_by_side
from pipeline.tracking.named import result_named

SETTINGS = job().tracking


@pytest.mark.slow
def test_of_a_result_that_was_overwritten_the_run_is_left(results: Results) -> None:
    """A person tries settings and commits none: DVC's cache has the files, MLflow the run."""
    results.in_folder(data__features=["number"])
    replay_all()
    for path in (files.TEST, files.ONNX, files.CONTRACT, files.SUMMARY, files.COLUMNS):
        results.repository.cached(path.read_bytes())
    (run,) = tracked_runs(results.repository.path)
    kept = recorded.of_place(next(iter(places.everywhere().values()))[0])
    results.in_folder(data__features=["area"])
    now = places.in_folder()
    assert now is not None
    for name in (run.id, run.name):
        result = result_named(name, SETTINGS)
        assert (result.md5, result.outs, result.deps) == (kept.md5, kept.outs, None)
        assert result.label == f"run {run.name}"
        with (
            recorded.opened(result) as first,
            recorded.opened(recorded.of_place(now)) as other,
        ):
            same = side_by_side.compared(first, other)
        assert same.paired[row_errors.ALL_TARGETS].mean < 0
        assert same.differences["params"] == ["data.features: + area, − number"]
        assert same.differences["code"] == ["unknown: of one of them only the run is left"]
        assert same.metrics[0]["test.mse"] > same.metrics[1]["test.mse"]
        assert set(same.metrics[0]) == set(same.metrics[1]), "no losses by epoch"


@pytest.mark.slow
def test_a_name_of_several_results_asks_for_one(results: Results) -> None:
    results.in_folder(seed=1)
    replay_all()
    results.in_folder(seed=2)
    replay_all()
    first, other = tracked_runs(results.repository.path)
    first.client.update_run(first.id, name="mine")
    other.client.update_run(other.id, name="mine")
    with pytest.raises(UserError) as caught:
        result_named("mine", SETTINGS)
    message = str(caught.value)
    assert message.startswith("mine: 2 results have this name; name one by:\n")
    assert f"\n  {first.id}  mine" in message
    assert result_named(first.id, SETTINGS).params["seed"] == 1


def test_unknown_names_and_commits_without_a_result(results: Results) -> None:
    results.in_folder()
    replay_all()
    (run,) = tracked_runs(results.repository.path)
    run.client.update_run(run.id, name="first try")
    with pytest.raises(UserError, match=r'frist try: found no run .*; did you mean "first try"\?'):
        result_named("frist try", SETTINGS)
    results.repository.git("add", "params.yaml")
    results.repository.git("commit", "--quiet", "--message=without a result")
    with pytest.raises(UserError, match=r"HEAD: commit .* has no result: .*`git log --oneline"):
        result_named("HEAD", SETTINGS)


def test_a_run_without_a_result_is_refused(results: Results) -> None:
    results.in_folder()
    replay_all()
    (run,) = tracked_runs(results.repository.path)
    killed = run.client.create_run("1", run_name="killed")
    run.client.set_terminated(killed.info.run_id, "KILLED")
    with pytest.raises(UserError, match="run killed: it has no result: its training ended with KI"):
        result_named("killed", SETTINGS)


@pytest.mark.slow
def test_the_sentence_becomes_a_tag_of_the_run(results: Results) -> None:
    commit = results.committed(data__features=["number"])
    results.in_folder(data__features=["area"])
    before, after = places.named(commit), places.in_folder()
    assert before is not None
    assert after is not None
    a, b = recorded.of_place(before), recorded.of_place(after)
    with recorded.opened(a) as first, recorded.opened(b) as other:
        same = side_by_side.compared(first, other)
    with pytest.raises(UserError, match=r"^this folder: its result has no run to tag; `python"):
        comparison_tag.write(SETTINGS, b, same)
    replay_all()
    name = comparison_tag.write(SETTINGS, b, same)
    (run,) = [run for run in tracked_runs(results.repository.path) if run.name == name]
    assert run.tags["comparison"].startswith(f"A is commit {commit[:7]}, B is this folder. B is be")
    replay_all()
    assert len(tracked_runs(results.repository.path)) == 2, "the run counts as complete"

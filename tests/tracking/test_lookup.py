"""Looking up a result by any of its names."""

from pathlib import Path

import onnx
import pytest
from commits import Repository, nothing, replay_all
from commits import repository_fixture as repository_fixture
from conftest import job

from pipeline.learning.module import LinearModel
from pipeline.onnx_model import exporter
from pipeline.settings import dvc_md5, files
from pipeline.settings.errors import UserError
from pipeline.tracking import lookup


@pytest.mark.parametrize("what", ["nothing", "nothing.onnx", "params.yaml", "-x"])
def test_a_name_of_nothing_is_one_line(workspace: Path, what: str) -> None:
    with pytest.raises(UserError) as caught:
        lookup.lineage_of(what, job().tracking)
    assert str(caught.value).startswith(f"{what}: ")
    assert "\n" not in str(caught.value)


def test_a_file_leads_to_the_commit_that_its_run_is_named_after(repository: Repository) -> None:
    """The run had the name of one commit, and `git checkout` another commit."""
    lock = repository.changed(nothing)
    first = repository.commit(lock, "reports", "models", "data")
    replay_all()
    later = repository.commit(f"{lock}# written again\n", "reports")
    lines = lookup.lineage_of(str(files.ONNX), job().tracking).splitlines()
    (run,) = [line for line in lines if line.startswith("run ")]
    assert f"({first[:7]})" in run
    assert f"commit       {first}" in lines
    assert f"the same in  {later}" in lines
    assert f"again        git checkout {first[:12]}" in lines
    asked = lookup.lineage_of(later, job().tracking).splitlines()
    assert f"commit       {later}" in asked
    assert f"the same in  {first}, which the run is named after" in asked
    assert f"again        git checkout {later[:12]}" in asked


def test_a_file_is_of_this_pipeline_by_its_contract_or_by_what_was_there_before(
    tmp_path: Path,
) -> None:
    content = exporter.export(LinearModel(1, 1).eval(), 1, 20, {})
    for number, key in enumerate(("abline.contract", "abline.training_id", "other")):
        proto = onnx.load_from_string(content)
        proto.metadata_props.add(key=key, value="{}")
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(proto.SerializeToString())
        if key == "other":
            with pytest.raises(UserError, match="not an ONNX file that this pipeline wrote"):
                lookup.md5_of_model(path)
        else:
            assert lookup.md5_of_model(path) == dvc_md5.of(path)

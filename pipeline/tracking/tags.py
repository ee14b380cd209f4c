"""MLflow tags of the runs, experiments and models of this pipeline."""

from collections.abc import Sequence
from typing import Final

from pipeline.results.provenance import Origin
from pipeline.settings import files

TRAINING_ID: Final = "training_id"
"""What can change the trained numbers: data, parameters, code. Each run has it from its start."""
RESULT_ID: Final = "result_id"
"""The whole result. Written last of all: a run that has it is complete."""
RESULT: Final = f"md5 {files.RUN}"
"""The md5 of the result's run.json, by which dvc.lock names the result."""
OUTS: Final = "outputs"
"""The md5 of each output as JSON, by path."""
MISSING: Final = "missing"
"""Outputs that were not in DVC's cache when the run was replayed, separated by commas."""
CLAIMED_BY: Final = "claimed_by"
"""The result_id of the result that alone may complete the run."""
SUPERSEDED_BY: Final = "superseded_by"
"""The id of the run that has taken this run's place."""
UNREGISTERED: Final = "not registered"
"""Why the run's model became no version of the registered model."""
REASON: Final = "reason"
"""Why the training failed or was stopped."""

TRAINING_PROCESS: Final = "process.training"
"""The process that trains: see `processes.identity`."""
RECORDER_PROCESS: Final = "process.recorder"
"""The process that writes the run."""

COMMIT: Final = "mlflow.source.git.commit"
CHANGED: Final = "git.changed_files"
"""Files that differed from the commit, separated by commas."""
EXPERIMENT: Final = "dvc.experiment"
BASELINE: Final = "dvc.baseline"
"""The commit that the DVC experiment started from."""
USER: Final = "mlflow.user"

# Tags that MLflow's pages read.
NOTE: Final = "mlflow.note.content"
SOURCE_NAME: Final = "mlflow.source.name"
SOURCE_TYPE: Final = "mlflow.source.type"
DATA_CONTEXT: Final = "mlflow.data.context"
"""Of a dataset: training or test."""
MODEL_VERSIONS: Final = "mlflow.modelVersions"
"""Of a logged model: its versions in the registry, as JSON."""
SHARED_VIEW: Final = "mlflow.sharedViewState"
"""Of an experiment: the beginning of the tag of a shared view."""

ORIGIN: Final = (COMMIT, EXPERIMENT, BASELINE, USER)
"""Tags that a run has only if its origin has a value for them."""


def of_origin(origin: Origin) -> dict[str, str]:
    """Return the tags of a run: who made it, from which code, in which DVC experiment."""
    values = {
        SOURCE_NAME: "dvc.yaml",
        SOURCE_TYPE: "LOCAL",
        COMMIT: origin.commit,
        CHANGED: changed(origin.changed),
        EXPERIMENT: origin.experiment,
        BASELINE: origin.baseline,
        USER: origin.user,
    }
    return {tag: value for tag, value in values.items() if value}


def changed(paths: Sequence[str]) -> str:
    """Return the tag with the files that differ from a run's commit, cut to MLflow's limit."""
    return ", ".join(paths)[:5000] or "none"

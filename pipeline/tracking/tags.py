"""MLflow tags of the runs, experiments and models of this pipeline."""

from collections.abc import Sequence
from typing import Final

from pipeline.results.provenance import Origin
from pipeline.settings import files

TRAINING_ID: Final = "training_id"
"""Hash of data, parameters and code that can change the weights. Each run has it from its start."""
RESULT_ID: Final = "result_id"
"""Hash of the whole result. Written last: a run with this tag is complete."""
RESULT: Final = f"md5 {files.RUN}"
"""The md5 of the result's run.json, by which dvc.lock names the result."""
OUTS: Final = "outputs"
"""The md5 of each output as JSON, by path."""
COMPARISON: Final = "comparison"
"""Sentence of `compare --tag`: whether this result is better than another one."""
MISSING: Final = "missing"
"""Outputs that were not in DVC's cache when the run was replayed, separated by commas."""
CLAIMED_BY: Final = "claimed_by"
"""The result_id of the result that alone may complete the run."""
SUPERSEDED_BY: Final = "superseded_by"
"""The id of the run that has taken this run's place."""
UNREGISTERED: Final = "not registered"
"""Reason why the run's model became no version of the registered model."""
REASON: Final = "reason"
"""Reason why the training failed or was stopped."""

SWEEP: Final = "sweep"
"""Id of a sweep, of its parent run and of its children. They are no results."""
SWEEP_NUMBER: Final = "sweep.number"
"""Number of a configuration in its sweep, from 1."""
PARENT: Final = "mlflow.parentRunId"
"""The id of the parent of a run, below which MLflow's page shows it."""

TRAINING_PROCESS: Final = "process.training"
"""Process that trains: see `processes.identity`."""
RECORDER_PROCESS: Final = "process.recorder"
"""Process that writes the run."""

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
"""Use of a dataset: training or test."""
MODEL_VERSIONS: Final = "mlflow.modelVersions"
"""Versions of a logged model in the registry, as JSON."""
SHARED_VIEW: Final = "mlflow.sharedViewState"
"""Beginning of an experiment's tag with a shared view."""

ORIGIN_TAGS: Final = (COMMIT, EXPERIMENT, BASELINE, USER)
"""Tags that a run has only if its origin has a value for them."""


def of_origin(origin: Origin) -> dict[str, str]:
    """Return the tags of a run with its user, commit, changed files and DVC experiment."""
    values = {
        SOURCE_NAME: "dvc.yaml",
        SOURCE_TYPE: "LOCAL",
        COMMIT: origin.commit,
        CHANGED: file_list(origin.changed),
        EXPERIMENT: origin.experiment,
        BASELINE: origin.baseline,
        USER: origin.user,
    }
    return {tag: value for tag, value in values.items() if value}


def file_list(paths: Sequence[str]) -> str:
    """Return paths as the value of a tag, cut to MLflow's limit; "none" if there are no paths."""
    return ", ".join(paths)[:5000] or "none"

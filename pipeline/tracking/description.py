"""Description of a run in Markdown: its report, its metrics, and how to reproduce the result."""

from mlflow.entities import Run

from pipeline.results import provenance
from pipeline.results.provenance import Origin
from pipeline.settings import files
from pipeline.settings.messages import first_of
from pipeline.tracking.result import Result

MOST_METRICS_LISTED = 30
MOST_FILES_LISTED = 10


def report_link(result: Result, run: Run) -> str:
    """Return a link to the report among the run's artifacts, as MLflow's page shows it.

    Nothing if the result has none: it is older, or the file is missing.
    """
    if files.REPORT not in result.artifacts:
        return ""
    place = f"{run.info.experiment_id}/runs/{run.info.run_id}"
    return f"[Open the report](#/experiments/{place}/artifacts/{files.REPORT})"


def text(result: Result, origin: Origin, link: str = "") -> str:
    """Return the description of the run of a result. link: see `report_link`."""
    identity = result.identity
    again = (
        f"`git checkout {origin.commit[:12]}`, the parameters of this run and "
        if origin.commit
        else ""
    )
    changed = [path for path in origin.changed if path != "params.yaml"]
    if origin.commit and changed:
        paths = first_of([f"`{path}`" for path in changed], MOST_FILES_LISTED)
        again += f"changes that were not committed ({paths}) and "
    changes = ""
    if origin.changes:
        values = ", ".join(f"`{provenance.differences({k: v})}`" for k, v in origin.changes.items())
        changes = f"Other values than in the commit: {values}.\n\n"
    # Errors first, diagnostics last: with many targets there are more than are listed.
    ordered = sorted(result.metrics.items(), key=lambda each: each[0].startswith("diagnostics."))
    rows = ordered[:MOST_METRICS_LISTED]
    table = "\n".join(f"| {name} | {value:g} |" for name, value in rows)
    link += "\n\n" * bool(link)
    warning = f"**Take care: {result.warning}.**\n\n" if result.warning else ""
    return (
        f"{warning}{link}Made by {again}`dvc repro`.\n\n{changes}"
        f"model.safetensors md5 `{identity['outs'].get(str(files.MODEL), 'unknown')}`,"
        f" training_id `{identity['training_id']}`, result_id `{identity['result_id']}`.\n\n"
        f"| metric | value |\n|---|---|\n{table}\n"
    )

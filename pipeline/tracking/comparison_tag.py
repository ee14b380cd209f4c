"""The sentence of a comparison as a tag of the run, so that `mlflow ui` shows it."""

from pipeline.report import comparison
from pipeline.report.comparison import Comparison
from pipeline.results.recorded import Recorded
from pipeline.settings.errors import UserError
from pipeline.settings.params import Tracking
from pipeline.tracking import complete_runs, tags
from pipeline.tracking.mlflow_names import LONGEST_TAG_LETTERS
from pipeline.tracking.store import open_store
from pipeline.tracking.store_failures import explained


def write(settings: Tracking, result: Recorded, compared: Comparison) -> str:
    """Write the tag of the run of `result`, B of the comparison; return the name of the run.

    Raises UserError if the result has no run, or if somebody has deleted the run.
    """
    store = open_store(settings.experiment)
    complete = complete_runs.by_result(store).get(result.md5)
    if complete is None or complete.is_deleted:
        raise UserError(
            f"{result.label}: its result has no run to tag; `python -m pipeline.track --all` makes"
            " the runs that are missing and names those that were deleted"
        )
    first, other = compared.labels
    text = f"A is {first}, B is {other}. {' '.join(comparison.verdicts(compared))}"
    with explained(store.uri):
        store.client.set_tag(complete.run.info.run_id, tags.COMPARISON, text[:LONGEST_TAG_LETTERS])
    return str(complete.run.info.run_name)

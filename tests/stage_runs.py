"""All stages of a job, in this process or as processes, and whether the run has everything."""

from conftest import Checkout, TrackedRun

from pipeline import evaluate, export, generate, track, train
from pipeline.settings.params import Params

NAMES = ("generate", "train", "evaluate", "export", "track")
STAGES = (generate, train, evaluate, export, track)


def run_stages(params: Params, *names: str) -> None:
    """Run stages in this process, in the working directory; all of them if none is named."""
    by_name = dict(zip(NAMES, STAGES, strict=True))
    for name in names or NAMES:
        by_name[name].main(params)


def start_stages(checkout: Checkout) -> str:
    """Run each stage as a process of its own; return what all of them printed."""
    return "".join(checkout.stage(name) for name in NAMES)


def is_complete(run: TrackedRun, epochs: int = 100) -> bool:
    """Return True if a run has everything, and each epoch once."""
    return (
        run.status == "FINISHED"
        and [step for step, _ in run.losses()] == list(range(1, epochs + 1))
        and "result_id" in run.tags
        and "train.mse" in run.metrics
        and len(run.models) == 1
        and len(run.client.get_metric_history(run.id, "train.mse")) == 1
    )

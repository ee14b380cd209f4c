"""Complete runs in the store: each shows a whole result, unless a person has changed it since."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from mlflow.entities import Experiment, Run, ViewType
from mlflow.store.entities import PagedList

from pipeline.settings import safe_path
from pipeline.tracking import tags
from pipeline.tracking.store import Store
from pipeline.tracking.store_failures import explained

T = TypeVar("T")


@dataclass(frozen=True)
class CompleteRun:
    """A run that shows a whole result, and its experiment."""

    run: Run
    experiment: Experiment

    @property
    def is_deleted(self) -> bool:
        """True if somebody has deleted the run or its experiment."""
        stages = (self.run.info.lifecycle_stage, self.experiment.lifecycle_stage)
        return "deleted" in stages

    @property
    def is_edited(self) -> bool:
        """True if the run has a status or ids that only a person can have written."""
        ids = [self.run.data.tags.get(tag, "") for tag in (tags.TRAINING_ID, tags.RESULT_ID)]
        return self.run.info.status != "FINISHED" or not all(map(safe_path.is_id, ids))


def by_result(store: Store) -> dict[str, CompleteRun]:
    """Return the complete runs of all experiments, by the md5 of their result's run.json.

    A deleted run is included if no other run shows its result: it must not come back by itself.
    Runs whose files are gone are not included.
    """
    complete_runs: dict[str, CompleteRun] = {}
    with explained(store.uri):
        by_id = {each.experiment_id: each for each in experiments(store)}
        # Not by status, which a person may change; the tag is written last.
        condition = f"tags.{tags.RESULT_ID} LIKE '%'"
        for run in _pages(
            lambda page: store.client.search_runs(
                list(by_id), condition, ViewType.ALL, 5000, page_token=page
            )
        ):
            complete = CompleteRun(run, by_id[run.info.experiment_id])
            if tags.RESULT not in run.data.tags or tags.SUPERSEDED_BY in run.data.tags:
                continue
            if not (complete.is_deleted or has_artifacts(run.info.artifact_uri)):
                continue
            md5 = run.data.tags[tags.RESULT]
            other = complete_runs.get(md5)
            if other is None or (other.is_deleted and not complete.is_deleted):
                complete_runs[md5] = complete
    return complete_runs


def experiments(store: Store) -> Iterator[Experiment]:
    """Yield all experiments in a store, deleted ones too."""
    search = store.client.search_experiments
    return _pages(lambda page: search(ViewType.ALL, page_token=page))


def _pages(search: Callable[[str | None], PagedList[T]]) -> Iterator[T]:
    """Yield all results of a search in MLflow, page by page."""
    page = None
    while page != "":
        part = search(page)
        yield from part
        page = part.token or ""


def has_artifacts(artifacts: str) -> bool:
    """Return False if a folder of artifacts is gone from this machine; a server is not asked."""
    address = urlsplit(artifacts)
    return address.scheme != "file" or Path(unquote(address.path)).is_dir()


def out_md5s(run: Run) -> dict[str, str]:
    """Return the md5 of each output of a complete run's result, by path.

    Older runs have a tag for each output in place of one for all.
    """
    values = run.data.tags
    with suppress(KeyError, ValueError, TypeError):
        return dict(json.loads(values[tags.OUTS]))
    return {
        tag[4:]: md5 for tag, md5 in values.items() if tag.startswith("md5 ") and tag != tags.RESULT
    }


def outs_tag(outs: Mapping[str, str]) -> dict[str, str]:
    """Return the tag with the md5 of each output, which `out_md5s` reads."""
    return {tags.OUTS: json.dumps(outs, ensure_ascii=False)}

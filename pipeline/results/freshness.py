"""Whether data/ is what params.yaml and data/raw/ make: tables that are not are not swept over."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.results import lock_file
from pipeline.settings import dvc_md5, files, messages, params, yaml_file
from pipeline.settings.declared import DVC_LOCK, stages
from pipeline.settings.errors import UserError

MOST_SHOWN = 5


def check_data(document: str) -> None:
    """Raise UserError if data/ is not what DVC made with the text of params.yaml and data/raw/.

    Values are compared as they are written, and files by their md5, which is how DVC compares them.
    Without a dvc.lock that can be read, nothing is known.
    """
    try:
        recorded = lock_file.checked_stages(yaml_file.text_of(DVC_LOCK))["generate"]
        values = recorded["params"][str(params.PATH)]
    except (UserError, LookupError, TypeError):
        return
    written, _ = yaml_file.read(document, params.PATH)
    keys = [key for key in stages()["generate"]["params"] if key.split(".")[0] in ("seed", "data")]
    differing = [key for key in keys if key in values and yaml_file.at(written, key) != values[key]]
    if differing:
        names = messages.first_of(differing, MOST_SHOWN)
        raise UserError(
            f"{files.SUMMARY.parent}/ was made with other values of {names} than {params.PATH} has;"
            " `dvc repro generate` makes it again"
        )
    sources = (each for each in recorded.get("deps", ()) if each["path"] == str(files.RAW))
    if list(_others(sources)):
        raise UserError(
            f"{files.SUMMARY.parent}/ was made from other files than {files.RAW}/ has;"
            " `dvc repro generate` makes it again"
        )
    if others := list(_others(recorded.get("outs", ()))):
        raise UserError(
            f"{messages.first_of(others, MOST_SHOWN)}: not what {DVC_LOCK} records; `dvc checkout`"
            " brings what it records, or `dvc repro generate` makes it again"
        )


def _others(recorded: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the files and folders that have another md5 than the one recorded, or are missing."""
    for each in recorded:
        path = Path(each["path"])
        if "md5" in each and (not path.exists() or dvc_md5.of(path) != each["md5"]):
            yield str(path)

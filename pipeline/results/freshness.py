"""Whether the tables in data/ are those of params.yaml."""

from functools import reduce
from typing import Any

from pipeline.results import lock_file
from pipeline.settings import files, messages, params, yaml_file
from pipeline.settings.declared import DVC_LOCK, stages
from pipeline.settings.errors import UserError


def check_data(document: str) -> None:
    """Raise UserError if DVC made data/ with other parameters than the text of params.yaml has.

    Values are compared as they are written, which is how DVC compares them. Without a dvc.lock that
    can be read, nothing is known.
    """
    try:
        recorded = lock_file.checked_stages(yaml_file.text_of(DVC_LOCK))["generate"]
        values = recorded["params"][str(params.PATH)]
    except (UserError, LookupError, TypeError):
        return
    written, _ = yaml_file.read(document, params.PATH)
    keys = [key for key in stages()["generate"]["params"] if key.split(".")[0] in ("seed", "data")]
    differing = [key for key in keys if key in values and _at(written, key) != values[key]]
    if differing:
        names = messages.first_of(differing, 5)
        raise UserError(
            f"{files.SUMMARY.parent}/ was made with other values of {names} than {params.PATH} has;"
            " `dvc repro generate` makes it again"
        )


def _at(written: Any, key: str) -> Any:
    """Return the value of a key with dots, such as data.folds."""
    return reduce(lambda section, name: section[name], key.split("."), written)

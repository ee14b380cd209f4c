"""Whether the tables in data/ are those of params.yaml."""

from pipeline.results import lock_file
from pipeline.settings import files, messages, params, yaml_file
from pipeline.settings.declared import DVC_LOCK, stages
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def check_data(job: Params) -> None:
    """Raise UserError if DVC made data/ with other parameters than the job has.

    Without a dvc.lock that can be read, nothing is known.
    """
    try:
        recorded = lock_file.checked_stages(yaml_file.text_of(DVC_LOCK))["generate"]
        values = recorded["params"][str(params.PATH)]
    except (UserError, LookupError, TypeError):
        return
    flat = params.flatten(job)
    keys = [key for key in stages()["generate"]["params"] if key.split(".")[0] in ("seed", "data")]
    # As JSON has them: a list for a tuple.
    differing = [
        key
        for key in keys
        if key in values and files.json_bytes(flat[key]) != files.json_bytes(values[key])
    ]
    if differing:
        names = messages.first_of(differing, 5)
        raise UserError(
            f"{files.SUMMARY.parent}/ was made with other values of {names} than {params.PATH} has;"
            " `dvc repro generate` makes it again"
        )

"""The address of the tracking store: its kind, and how it is shown without secrets."""

import os
import re
from pathlib import Path
from urllib.parse import unquote

from pipeline.settings.errors import UserError
from pipeline.settings.files import root

_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://[^\s'\"<>]+")
_SECRET = re.compile(
    r"(?<=[?&;])([^&=?;#]*(?:pass|pwd|token|secret|key|sig|cred|auth|odbc_connect)[^&=?;#]*)=([^&#;]*)",
    re.IGNORECASE,
)
"""Name and value of a secret in the query of an address."""
SHORTEST_SECRET_LETTERS = 3
"""Letters of the shortest secret that is masked in messages: "a" is in every word."""


def address() -> str:
    """Return `MLFLOW_TRACKING_URI` if it is set, else the SQLite file that `mlflow ui` opens.

    Raises UserError if no address can name a file in this repository's folder.
    """
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    if odd := set("?%") & set(str(root())):
        raise UserError(
            f"the folder {root()} has {' and '.join(sorted(odd))} in its name, which MLflow's"
            " address of a store cannot have; rename it, or set MLFLOW_TRACKING_URI"
        )
    return f"sqlite:///{default_file()}"


def default_file() -> Path:
    """Return the file of this repository's own store."""
    return root() / "mlflow.db"


def artifacts() -> Path:
    """Return the folder where a store in a file keeps the artifacts of runs."""
    return root() / "mlartifacts" / "runs"


def is_server(uri: str) -> bool:
    """True for the address of a tracking server, which chooses the place of artifacts."""
    return uri.startswith(("http://", "https://"))


def is_database(uri: str) -> bool:
    """True for the address of a database server, which MLflow writes to directly."""
    kind = uri.partition("://")[0].partition("+")[0]
    return kind in {"postgresql", "mysql", "mssql"}


def sqlite_file(uri: str) -> Path | None:
    """Return the file of an SQLite store; None for any other kind."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def shown(uri: str) -> str:
    """Return the address without passwords and tokens."""
    scheme, _, rest = uri.partition("://")
    if _is_file(rest):
        return uri
    # Up to the last @, because a password may have an @ or a / that should have been encoded.
    who, at, where = rest.rpartition("@")
    user, colon, _ = who.partition(":")
    if at and colon:
        rest = f"{user}:***@{where}"
    elif at and _is_token(uri):
        rest = f"***@{where}"
    rest = _SECRET.sub(r"\1=***", rest)
    return f"{scheme}://{rest}" if rest else uri


def _is_token(uri: str) -> bool:
    """True for a server's address with a user and no password: such a user is a token.

    A database may let a user in without a password.
    """
    return is_server(uri) and ":" not in uri.partition("://")[2].rpartition("@")[0]


def _is_file(rest: str) -> bool:
    """True if `rest`, an address without its scheme, is a file: its name may have any character."""
    return rest.startswith("/") and "?" not in rest


def page_address(uri: str) -> str:
    """Return a server's address for a browser: without user, password and query."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0].rstrip('/')}"


def masked(text: str, uri: str) -> str:
    """Return a library's message about the store at `uri`, without passwords and tokens."""
    text = _ADDRESS.sub(lambda match: shown(match[0]), text)
    for secret in _secrets(uri):
        text = text.replace(secret, "***")
    return text


def _secrets(uri: str) -> list[str]:
    """Return the passwords and tokens in an address, as written and decoded, longest first."""
    _, _, rest = uri.partition("://")
    if _is_file(rest):
        return []
    who, _, _ = rest.rpartition("@")
    password = who if _is_token(uri) else who.partition(":")[2]
    secrets = {value for _, value in _SECRET.findall(rest)} | {password}
    secrets |= {unquote(secret) for secret in secrets}
    # A library may take only the part before or after an @ or a / for the password.
    for sign in "@/":
        secrets |= {part for secret in secrets for part in secret.split(sign)}
    long_enough = (each for each in secrets if len(each) >= SHORTEST_SECRET_LETTERS)
    return sorted(long_enough, key=len, reverse=True)

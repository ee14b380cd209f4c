"""The address of the tracking store: where runs go, which kind of store it is, how it is shown."""

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
"""A part of an address's query that grants something: its name and its value."""
SHORTEST_SECRET_LETTERS = (
    3  # letters of a secret that is looked for in messages: "a" is in every word
)


def address() -> str:
    """`MLFLOW_TRACKING_URI` if it is set, else the SQLite file that plain `mlflow ui` opens.

    Raises UserError if the repository lies where no such address can point to.
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
    """True if `uri` is the address of a tracking server, which keeps artifacts where it likes."""
    return uri.startswith(("http://", "https://"))


def is_database(uri: str) -> bool:
    """True if `uri` is the address of a database server that MLflow writes to itself."""
    kind = uri.partition("://")[0].partition("+")[0]
    return kind in {"postgresql", "mysql", "mssql"}


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other kind."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def shown(uri: str) -> str:
    """The address without passwords and tokens."""
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
    """Whether a user without a password is a token: a server asks for both, a database need not."""
    return is_server(uri) and ":" not in uri.partition("://")[2].rpartition("@")[0]


def _is_file(rest: str) -> bool:
    """True if an address, after its scheme, is of a file, whose name may have any character."""
    return rest.startswith("/") and "?" not in rest


def page_address(uri: str) -> str:
    """A server's address for a browser: without user, password and query."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0].rstrip('/')}"


def masked(text: str, uri: str) -> str:
    """A library's message about the store at `uri`, without passwords and tokens."""
    text = _ADDRESS.sub(lambda match: shown(match[0]), text)
    for secret in _secrets(uri):
        text = text.replace(secret, "***")
    return text


def _secrets(uri: str) -> list[str]:
    """The passwords and tokens in an address, as written and as meant, longest first."""
    _, _, rest = uri.partition("://")
    if _is_file(rest):
        return []
    who, _, _ = rest.rpartition("@")
    password = who if _is_token(uri) else who.partition(":")[2]
    secrets = {value for _, value in _SECRET.findall(rest)} | {password}
    secrets |= {unquote(secret) for secret in secrets}
    # What follows an @ or a / is not the password to everyone who reads the address.
    for sign in "@/":
        secrets |= {part for secret in secrets for part in secret.split(sign)}
    long_enough = (each for each in secrets if len(each) >= SHORTEST_SECRET_LETTERS)
    return sorted(long_enough, key=len, reverse=True)

"""File systems that are not this machine's: S3 and the like, and what goes wrong there.

S3 is read by pyarrow, which has a client of its own; other protocols by fsspec, if the package for
them is installed, as DVC's extras bring it (`dvc[gs]`, `dvc[azure]`).
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pyarrow import fs

from pipeline.settings.errors import UnavailableError, UserError

CONNECT_SECONDS = 3
TRIES = 2
"""Of a request. A server that is not there is noticed after some seconds, not minutes."""

# Names that DVC gives to the settings of a remote, and the names that pyarrow has for them.
_S3_OPTIONS = {
    "access_key_id": "access_key",
    "secret_access_key": "secret_key",
    "session_token": "session_token",
    "region": "region",
    "allow_anonymous_login": "anonymous",
}


@dataclass(frozen=True)
class Stored:
    """What a file system says of a file. etag: another one after each change."""

    size: int
    etag: str


@dataclass(frozen=True)
class Store:
    """A file system: its protocol, such as s3, and the settings that DVC has for it."""

    protocol: str
    options: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, protocol: str, options: Mapping[str, Any]) -> "Store":
        """Return the file system of a protocol. options: as in DVC's config."""
        return cls(protocol, tuple(sorted(options.items())))

    def open(self, path: str) -> tuple[pa.NativeFile, Stored]:
        """Open a file, and say what it is now. Raises OSError."""
        if self.protocol == "s3":
            file = _filesystem(self).open_input_file(path)
            metadata = file.metadata()
            return file, Stored(file.size(), _unquoted(metadata.get("ETag", b"").decode()))
        # Before it is opened: if it changes meanwhile, the next look tells.
        if (stored := self.stored(path)) is None:
            raise FileNotFoundError(path)
        return _filesystem(self).open_input_file(path), stored

    def stored(self, path: str) -> Stored | None:
        """Return what a file is now; None if it is no file. Raises OSError."""
        if self.protocol == "s3":
            try:
                file, stored = self.open(path)
            except FileNotFoundError:
                return None
            file.close()
            return stored
        try:
            info = _fsspec(self).info(path)
        except FileNotFoundError:
            return None
        if info["type"] != "file":
            return None
        tags = [info.get(name) for name in ("ETag", "etag", "md5Hash", "content_md5", "checksum")]
        tag = next((tag for tag in tags if tag), None) or info.get("mtime") or info.get("created")
        return Stored(int(info["size"] or 0), _unquoted(str(tag or "")))

    def names(self, folder: str) -> list[str]:
        """Return the paths of the files in a folder and in the folders there. Raises OSError."""
        selector = fs.FileSelector(folder, recursive=True)
        infos = _filesystem(self).get_file_info(selector)
        return [info.path.lstrip("/") for info in infos if info.type == fs.FileType.File]


def _unquoted(tag: str) -> str:
    return tag.removeprefix("W/").strip('"')


@lru_cache(maxsize=8)
def _filesystem(store: Store) -> fs.FileSystem:
    """Return pyarrow's object for a file system; a process makes one of each."""
    if store.protocol != "s3":
        return fs.PyFileSystem(fs.FSSpecHandler(_fsspec(store)))
    options = dict(store.options)
    if "profile" in options:
        os.environ.setdefault("AWS_PROFILE", options["profile"])
    if "credentialpath" in options:
        os.environ.setdefault("AWS_SHARED_CREDENTIALS_FILE", options["credentialpath"])
    # pyarrow takes the endpoint from no variable, other than the AWS command line does.
    variables = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
    endpoint = options.get("endpointurl") or next(
        filter(None, map(os.environ.get, variables)), None
    )
    return fs.S3FileSystem(
        endpoint_override=endpoint,
        connect_timeout=CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=TRIES),
        **{name: options[key] for key, name in _S3_OPTIONS.items() if key in options},
    )


@lru_cache(maxsize=8)
def _fsspec(store: Store) -> Any:
    """Return fsspec's object for a file system. Raises UserError if its package is missing."""
    import fsspec  # 30 ms that only these file systems need

    try:
        return fsspec.filesystem(store.protocol, **dict(store.options))
    except (ImportError, ValueError) as error:
        raise UserError(f"{store.protocol}://: cannot be read: {error}") from None


@contextmanager
def errors_of(uri: str) -> Iterator[None]:
    """Raise the exceptions of a file system as UnavailableError. uri: of the file or the folder."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise UnavailableError(f"{uri}: {_reason(uri, error)}") from None


def _reason(uri: str, error: Exception) -> str:
    """Return what is wrong, and the likely fix."""
    text = str(error).splitlines()[0]
    code = re.search(r"AWS Error (\w+) during", text)
    bucket = re.sub(r"^(\w+://[^/]+).*", r"\1", uri)
    if isinstance(error, FileNotFoundError):
        return (
            f"there is no such file or folder, or no {bucket}; `dvc list-url` shows what is there"
        )
    if code and code[1] == "NO_SUCH_BUCKET":
        return f"there is no bucket {bucket}; correct its name, or the endpoint (AWS_ENDPOINT_URL)"
    if (code and code[1] in _REFUSED) or isinstance(error, PermissionError):
        return (
            f"you may not read it ({code[1] if code else error}); check AWS_ACCESS_KEY_ID and"
            " AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, and the rights that they have"
        )
    if code and code[1] == "NETWORK_CONNECTION":
        detail = text.split("Details: ")[-1]
        return (
            f"the server does not answer ({detail}); check the network, and the endpoint"
            " (AWS_ENDPOINT_URL, or endpointurl of a DVC remote)"
        )
    return f"cannot be read: {text}"


_REFUSED = (
    "ACCESS_DENIED",
    "EXPIRED_TOKEN",
    "INVALID_ACCESS_KEY_ID",
    "INVALID_CLIENT_TOKEN_ID",
    "MISSING_AUTHENTICATION_TOKEN",
    "SIGNATURE_DOES_NOT_MATCH",
    "UNRECOGNIZED_CLIENT",
)

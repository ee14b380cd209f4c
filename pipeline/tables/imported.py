"""Tables that DVC has imported without downloading them: `dvc import-url --no-download`.

The .dvc file says where the table is, and what it was: its etag, or the md5 of the list of the
files in a folder. It lies under data/raw, so that DVC makes a new result when `dvc update
--no-download` has changed it.
"""

import hashlib
import json
import os
import posixpath
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pipeline.settings import dvc_md5, yaml_file
from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.tables.remote_file import REQUESTS_AT_ONCE, RemoteFile
from pipeline.tables.store import Store, Stored, errors_of

SUFFIX = ".dvc"
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Import:
    """A .dvc file, and the table that it says where to find.

    url: as DVC has it, without a version. noted: what DVC noted of the table: etag or md5, size,
    and of a folder perhaps the files.
    """

    dvc_file: Path
    url: str
    store: Store
    noted: Mapping[str, Any]

    def files(self) -> list[tuple[str, RemoteFile | Path]]:
        """Return the files with their paths in the folder; a single one with its name.

        Raises UserError if they cannot be listed, are others than DVC has noted, or have nothing
        that tells when they change.
        """
        if self.store.protocol == "file":
            return self._files_here()
        path = self.url.partition("://")[2]
        with errors_of(self.url):
            stored = self.store.stored(path)
            if stored is not None:
                self._compare(stored.etag, stored.size)
                return [(posixpath.basename(path), self._remote(path, stored))]
            # A folder of DVC's import may be written with a slash at its end.
            folder = path.rstrip("/")
            paths = sorted(self.store.names(folder), key=os.fsencode)
            with ThreadPoolExecutor(REQUESTS_AT_ONCE) as requests:
                looks = list(requests.map(self.store.stored, paths))
        all_files = {
            posixpath.relpath(each, folder): self._remote(each, look)
            for each, look in zip(paths, looks, strict=True)
            if look is not None  # removed meanwhile: then the list has another md5
        }
        etags = {name: file.stored.etag for name, file in all_files.items()}
        size = sum(file.stored.size for file in all_files.values())
        self._compare(_of_list("etag", etags), size, len(etags), etags)
        return [*all_files.items()]

    def _files_here(self) -> list[tuple[str, RemoteFile | Path]]:
        """Return the files of a folder or a disk outside the repository."""
        path = (self.dvc_file.parent / self.url).resolve()
        if not path.exists():
            raise UserError(f"{path} ({self.dvc_file}): there is no such file or folder")
        if path.is_file():
            self._compare(dvc_md5.of_file(path), path.stat().st_size)
            return [(path.name, path)]
        paths = [Path(each) for each in dvc_md5.files(str(path))]
        self._compare(dvc_md5.of(path), sum(each.stat().st_size for each in paths), len(paths))
        return [(each.relative_to(path).as_posix(), each) for each in paths]

    def _remote(self, path: str, stored: Stored) -> RemoteFile:
        if not stored.etag:
            raise UserError(
                f"{self.dvc_file}: {self.url} cannot be read in place, because"
                f" {self.store.protocol}:// says neither the etag of a file nor when it was"
                f" changed; `dvc import-url {self.url} {RAW}/` downloads it"
            )
        uri = f"{self.store.protocol}://{path}"
        return RemoteFile(uri, self.store, path, stored, self.dvc_file)

    def _compare(
        self, tag: str, size: int, number: int | None = None, etags: Mapping[str, str] | None = None
    ) -> None:
        """Raise UserError if the table is another than DVC has noted.

        tag: etag, or md5 of a file or a list. number, etags: of the files in a folder.
        """
        noted = self.noted
        if listed := noted.get("files"):
            same = {file["relpath"]: file.get("etag") for file in listed} == etags
        else:
            known = noted.get("etag") or noted.get("checksum") or noted.get("md5")
            same = known == tag and noted.get("nfiles") == number
            if self.store.protocol not in ("s3", "file"):  # other names for etags there
                same = noted.get("nfiles") == number and noted.get("size") in (None, size)
        if not same:
            files = "" if number is None else f"{number:,} files, "
            raise UserError(
                f"{self.dvc_file}: {self.url} is another table now ({files}{size:,} bytes) than"
                " when DVC looked at it last; to take it as it is now: `dvc update --no-download"
                f" {self.dvc_file}`, then `dvc repro`"
            )


def parts(dvc_file: Path) -> list[RemoteFile | Path]:
    """Return the Parquet files of an import, in the order of their paths' bytes.

    Raises UserError if there is none, or if the table is another than DVC has noted.
    """
    imported = read(dvc_file)
    all_files = sorted(imported.files(), key=lambda file: os.fsencode(file[0]))
    paths = [path for name, path in all_files if is_part(name)]
    if not paths:
        raise UserError(
            f"{dvc_file}: found no Parquet file in {imported.url}; must be a file called"
            f" {' or '.join(f'*{kind}' for kind in PARQUET)}, or a folder with such files"
        )
    return paths


def is_part(name: str) -> bool:
    """Return True if a file, named by its path in the folder of a table, is a part of the table."""
    hidden = any(step.startswith((".", "_")) for step in name.split("/"))
    return not hidden and PurePosixPath(name).suffix.lower() in PARQUET


def read(dvc_file: Path) -> Import:
    """Read the .dvc file of an import. Raises UserError if it is none, or if DVC downloads it."""
    content = yaml_file.read(yaml_file.text_of(dvc_file), dvc_file)[0]
    try:
        (out,) = content["outs"]
        made_at = dvc_file.parent / content.get("wdir", ".") / out["path"]
        deps = content.get("deps") or []
        url = str(deps[0]["path"]) if deps else ""
    except (TypeError, KeyError, ValueError, IndexError, AttributeError):
        raise UserError(f"{dvc_file}: found no import of DVC's in it; restore the file") from None
    here = Path(os.path.normpath(made_at))
    if not url or deps[0].get("repo") or out.get("md5"):
        raise UserError(
            f"data.source: {dvc_file} is the .dvc file of a table that is here; write {here}"
        )
    if here.is_relative_to(RAW) or out.get("cache") is not False:
        elsewhere = os.path.relpath(Path("data/remote") / here.name, dvc_file.parent)
        raise UserError(
            f"{dvc_file}: found `path: {out['path']}` under outs, {_trouble(here)}; to leave the"
            f" table where it is, write there\n    path: {elsewhere}\n    cache: false\n  and then"
            f" `dvc update --no-download {dvc_file}`"
        )
    url, options = _resolved(url.partition("?versionId=")[0], deps[0].get("fs_config") or {})
    protocol = urlsplit(url).scheme or "file"
    if protocol in ("http", "https"):
        raise UserError(
            f"{dvc_file}: {url} cannot be read in place, because web servers do not say which part"
            f" of a file has changed; `dvc import-url {url} {RAW}/` downloads it"
        )
    options = {name: each for name, each in options.items() if name not in ("url", "version_aware")}
    return Import(dvc_file, url, Store.of(protocol, options), deps[0])


def _trouble(here: Path) -> str:
    if here.is_relative_to(RAW):
        return f"which is in {RAW}, where `dvc repro` downloads it before any stage runs"
    return "without `cache: false`, so that `dvc pull` downloads it"


def _resolved(url: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the address of a table, and the settings of its file system, as DVC has them."""
    if urlsplit(url).scheme != "remote":
        return url, dict(options)
    # 0.3 s that only a table in a named remote of DVC needs.
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.fs import get_fs_config

    try:
        settings = dict(get_fs_config(Config(), url=url, **options))
    except (DvcException, ImportError, ValueError) as error:
        raise UserError(f"{url}: {error}; `dvc remote list` has the names") from None
    return str(settings["url"]), settings


def _of_list(kind: str, tags: Mapping[str, str]) -> str:
    """Return the md5 of a list of files, as DVC has it. tags: etags or md5s by path."""
    listing: Sequence[Mapping[str, str]] = [
        {kind: tag, "relpath": name} for name, tag in sorted(tags.items())
    ]
    return hashlib.md5(json.dumps(listing).encode()).hexdigest() + ".dir"

"""Ask git, and read the files in its commits.

A commit may be a stranger's: see SECURITY.md. Links and submodules in it do not count as files.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.settings import safe_path
from pipeline.settings.errors import UserError

LARGEST_BLOB_BYTES = 100_000_000
"""Limit for a file that is read from a commit; hosts of git accept no larger files."""
_OBJECT = re.compile(rb"([0-9a-f]{40,64}) (\w+) (\d+)\n")


def ask(*arguments: str) -> str | None:
    """Return the output of git; None if there is no git, no repository or no such object in it."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    # Git's files are UTF-8 in every locale.
    return done.stdout.decode(errors="replace").rstrip("\n")


def blobs(names: Sequence[str], largest: int) -> Iterator[bytes | int | None]:
    """Yield the content of each name, such as HEAD:./dvc.lock; None where there is no file.

    A file of more than `largest` bytes is not read: its size is yielded instead. Only one file at
    a time is in memory.
    """
    if not names:
        return
    question = "".join(f"{name}\n" for name in names).encode()
    try:
        done = subprocess.run(
            ["git", "cat-file", "--batch-check"], input=question, capture_output=True
        )
    except OSError:  # there is no git
        yield from [None] * len(names)
        return
    objects = [_OBJECT.fullmatch(line) for line in done.stdout.splitlines(keepends=True)]
    objects += [None] * (len(names) - len(objects))  # where there is no repository
    with subprocess.Popen(
        ["git", "cat-file", "--batch"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as git:
        assert git.stdin is not None
        assert git.stdout is not None
        for each in objects:
            if each is None or each[2] != b"blob":
                yield None
                continue
            size = int(each[3])
            if size > largest:
                yield size
                continue
            git.stdin.write(each[1] + b"\n")
            git.stdin.flush()
            git.stdout.readline()
            content = git.stdout.read(size)
            git.stdout.readline()
            yield content


def extract(commit: str, paths: Sequence[str], folder: Path) -> None:
    """Write the files under `paths` in `commit` into `folder`, which no other process uses.

    Raises UserError if a path leads out of `folder`, or a file is larger than LARGEST_BLOB_BYTES.
    """
    listed = ask("ls-tree", "-r", "-z", commit, "--", *paths) or ""
    entries = [line.partition("\t") for line in listed.split("\0") if line]
    # The mode of a regular file begins with 100.
    objects = {path: entry.split(" ")[2] for entry, _, path in entries if entry.startswith("100")}
    contents = blobs(list(objects.values()), LARGEST_BLOB_BYTES)
    for path, content in zip(objects, contents, strict=True):
        target = safe_path.below(folder, path, f"commit {commit[:7]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            raise UserError(f"its {path[:200]!r} in git is larger than {LARGEST_BLOB_BYTES} bytes")
        if content is not None:
            target.write_bytes(content)

"""The files that a stage reads and writes, after its `--help`, are declared in dvc.yaml."""

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
from conftest import ROOT, Checkout

from pipeline.settings import declared

CODE = ("pipeline/", "requirements.txt")


@pytest.mark.parametrize("name", ["generate", "train", "evaluate", "export", "track"])
def test_a_stage_names_the_files_that_it_reads_and_writes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    stages = declared.stages()
    read = {path for path in stages[name]["deps"] if not path.startswith(CODE)}
    written = set(stages[name]["outs"])
    text = ast.get_docstring(ast.parse((ROOT / f"pipeline/{name}.py").read_text())) or ""
    reads, writes = text.partition("\nReads  ")[2].split("\nWrites  ")
    if "all that the stages before it wrote" in reads:
        read -= {out for stage in stages.values() for out in stage["outs"]}
    assert {path for path in read if not is_named(path, reads)} == set()
    assert {path for path in written if not is_named(path, writes)} == set()


def is_named(path: str, text: str) -> bool:
    """Return True if one of the paths in `text`, some of which are patterns, is `path`."""
    return any(fnmatch(path, name.rstrip("/")) for name in re.findall(r"[\w*]+/[\w.*]*", text))


def test_help_is_the_text_of_the_stage(workspace: Path) -> None:
    told = Checkout(workspace)("python", "-m", "pipeline.generate", "--help")
    assert told.startswith("usage: python -m pipeline.generate")
    assert "Reads   params.yaml, data/raw/\nWrites  data/train.parquet, data/test.parquet, " in told

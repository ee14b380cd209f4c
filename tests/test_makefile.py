"""`make` sets up the environment, and sets it up again in a folder that was renamed or copied."""

import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, environment

PYTHON = """#!/bin/sh
# Makes an environment, as `python -m venv` and pip do: programs that name their interpreter's path.
test "$2" = venv || exit 0
mkdir -p .venv/bin
printf '#!/bin/sh\\n' >.venv/bin/python
shebang="#!$(pwd -P)/.venv/bin/python"
case "$shebang" in *' '*) shebang="#!/bin/sh
'''exec' \\"$(pwd -P)/.venv/bin/python\\" \\"\\$0\\" \\"\\$@\\"
' '''" ;; esac
printf '%s\\n' "$shebang" >.venv/bin/dvc
chmod +x .venv/bin/*
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and a Python that makes an environment of two programs."""
    path = tmp_path / "first"
    path.mkdir()
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, path)
    (path / "python3").write_text(PYTHON)
    (path / "python3").chmod(0o755)
    return path


def make(folder: Path, *arguments: str) -> str:
    """Run `make`, which must succeed; return its output."""
    done = subprocess.run(
        ["make", *arguments, "PYTHON=./python3"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


MADE = "setting up .venv (a few minutes, once)\n"
AGAIN = "this folder was renamed or copied, and .venv has its old paths: making .venv again\n"


@pytest.mark.parametrize("name", ["second", "with a space"])
def test_a_renamed_folder_gets_its_environment_again(folder: Path, name: str) -> None:
    assert make(folder, "repro").startswith(MADE)
    assert MADE not in make(folder, "repro")
    renamed = folder.rename(folder.with_name(name))
    assert make(renamed, "repro").startswith(AGAIN + MADE)
    assert str(renamed) in (renamed / ".venv/bin/dvc").read_text()
    assert MADE not in make(renamed, "repro")


def test_a_copy_in_a_folder_above_gets_an_environment_of_its_own(
    folder: Path, tmp_path: Path
) -> None:
    """The path of the copy is the end of the path that it was copied from: /first, /home/first."""
    make(folder, "repro")
    program = folder / ".venv/bin/dvc"
    program.write_text(program.read_text().replace("#!", "#!/home"))
    assert make(folder, "repro").startswith(AGAIN)


def test_an_environment_that_make_did_not_set_up_stays(folder: Path) -> None:
    make(folder, "repro")
    (folder / ".venv/.installed").unlink()
    mine = folder / ".venv/mine"
    mine.touch()
    make(folder.rename(folder.with_name("second")), "repro")
    assert not mine.exists()
    assert (folder.with_name("second") / ".venv/mine").exists()


def test_clean_and_help_set_up_nothing(folder: Path) -> None:
    make(folder, "repro")
    renamed = folder.rename(folder.with_name("second"))
    assert AGAIN not in make(renamed, "help")
    assert AGAIN not in make(renamed, "clean")
    assert not (renamed / ".venv").exists()

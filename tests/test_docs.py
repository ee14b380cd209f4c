"""The documents are true: their commands run, their snippets print the output that is shown."""

import code
import contextlib
import io
import itertools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from conftest import (
    ROOT,
    Checkout,
    Clone,
    environment,
    job_text,
    make,
    stopping,
    wait_for_queue,
)

from pipeline.learning import training
from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.tables import table
from pipeline.tables.generated import generated_table

DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(
        part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts
    )
)
TUTORIALS = ("docs/tutorial.md", "docs/tutorial.zh.md")


@dataclass
class Block:
    """A fenced block of a document; quoted: the file that a comment before it names."""

    language: str
    text: str
    quoted: str | None


def blocks(document: str) -> Iterator[Block]:
    pattern = r"(?:<!-- from (\S+) -->\n)?^```(\w+)\n(.*?)^```$"
    for match in re.finditer(pattern, (ROOT / document).read_text(), re.DOTALL | re.MULTILINE):
        yield Block(match[2], match[3], match[1])


def snippets(document: str) -> Iterator[tuple[str, str]]:
    """Yield each block of Python that is not a quotation, and the output shown under it."""
    all_blocks = [*blocks(document), Block("end", "", None)]
    for block, after in itertools.pairwise(all_blocks):
        if block.language == "python" and not block.quoted:
            yield block.text, after.text if after.language == "text" else ""


@pytest.fixture
def trained(workspace: Path) -> Path:
    """Return a workspace with the tutorial's model in it."""
    make(params.load())
    return workspace


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/use-the-model.md",
        "clients/python/README.md",
        "docs/another-module.md",
        "docs/least-squares.md",
        "docs/what-becomes-of-each-column.md",
        *TUTORIALS,
    ],
)
def test_each_snippet_prints_what_is_shown(document: str, trained: Path) -> None:
    names: dict[str, object] = {}
    ran = 0
    for text, shown in snippets(document):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(text, document, "exec"), names)
        assert shown in printed.getvalue(), text
        if document in TUTORIALS:
            assert shown == printed.getvalue(), text
        ran += 1
    assert ran >= (15 if "tutorial" in document else 1)


def test_the_tutorial_can_be_pasted_and_started_again_at_step_2(trained: Path) -> None:
    """`python` gets pasted text line by line: an empty line ends a class."""
    python = code.InteractiveConsole({})
    pasted = list(snippets(TUTORIALS[0]))
    step_2 = next(n for n, (text, _) in enumerate(pasted) if "class LinearModel" in text)
    assert step_2 < 3
    for text, shown in (*pasted, *pasted[step_2:]):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            for line in (*text.splitlines(), ""):  # Enter
                python.push(line)
        assert printed.getvalue() == shown, text


@pytest.mark.parametrize("document", TUTORIALS)
def test_quotations_are_equal_to_the_code(document: str) -> None:
    quotations = [block for block in blocks(document) if block.quoted]
    assert len(quotations) == 2
    for block in quotations:
        assert block.text in (ROOT / str(block.quoted)).read_text()


def test_the_tutorial_runs_the_same_code_in_both_languages() -> None:
    english, chinese = (list(blocks(document)) for document in TUTORIALS)
    assert english == chinese


def test_the_page_on_least_squares_names_each_module_of_its_room() -> None:
    lines = (ROOT / "docs/least-squares.md").read_text().splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("| `")]
    modules = {path.stem for path in (ROOT / "pipeline/exact").glob("[!_]*.py")}
    assert modules == {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} & modules


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_each_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"https?:", link):
            assert (document.parent / link).exists(), link
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^make (\S+)", text, re.M))
    assert named <= made
    for module in re.findall(r"python -m pipeline\.([\w.]*\w)", text):
        assert (ROOT / f"pipeline/{module.replace('.', '/')}.py").exists(), module


def errors(document: str) -> list[str]:
    return re.findall(r"^error: (.*)$", (ROOT / document).read_text(), re.MULTILINE)


def test_the_messages_in_the_document_appear() -> None:
    text = (ROOT / "params.yaml").read_text()
    with pytest.raises(UserError) as misspelt:
        params.parse(text.replace("  lr:", "  learning_rate:"))
    wrong = params.parse(job_text(train__lr=0.1))
    rows: table.Table = generated_table(wrong.data, wrong.seed)
    with pytest.raises(UserError) as diverged:
        training.train(wrong, rows)
    assert errors("docs/experiments.md") == [str(misspelt.value), str(diverged.value)]


def environment_in(folder: Path) -> None:
    """Put this Python's environment at the place where `make` would set one up."""
    made = folder / ".venv"
    (made / "bin").mkdir(parents=True)
    for name in ("lib", "pyvenv.cfg"):
        (made / name).symlink_to(Path(sys.prefix) / name)
    for program in (Path(sys.prefix) / "bin").iterdir():
        here = made / "bin" / program.name
        if program.is_symlink() or not program.is_file():
            here.symlink_to(program)
        else:
            # It may name its folder, by which `make` knows an environment that was made elsewhere.
            content = program.read_bytes().replace(os.fsencode(sys.prefix), os.fsencode(made))
            here.write_bytes(content)
            here.chmod(0o755)
    for stamp in (".installed", ".tools-installed"):
        (folder / ".venv" / stamp).touch()


def serve_and_stop(checkout: Checkout, command: str) -> str:
    """Run `make ui` until it says that it is ready, look at the page, and press Ctrl-C."""
    view = subprocess.Popen(
        f"{command} PORT=0",
        shell=True,
        cwd=checkout.path,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    told = ""
    with stopping(view):
        assert view.stdout is not None
        for line in view.stdout:
            told += line
            if line.startswith("Ctrl-C"):
                break
        place = re.search(r"http://127.0.0.1:\d+", told)
        assert place, told
        with urlopen(f"{place[0]}/health") as answer:
            assert answer.status == 200
    os.killpg(view.pid, signal.SIGINT)
    view.communicate()
    return told


@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/another-module.md",
        "docs/beyond-one-machine.md",
        "docs/experiments.md",
        "docs/tutorial.md",
        "docs/use-the-model.md",
        "docs/your-own-table.md",
    ],
)
def test_each_command_runs_in_a_fresh_clone(document: str, clone: Clone) -> None:
    checkout = clone("fresh")
    environment_in(checkout.path)
    activate, ran = "", 0
    for block, after in itertools.pairwise([*blocks(document), Block("end", "", None)]):
        if block.language == "python" and block.text.startswith("# modules/"):
            (checkout.path / block.text.splitlines()[0][2:]).write_text(block.text)
        if block.language != "sh":
            continue
        told = ""
        for line in block.text.splitlines():
            command = line.partition("  #")[0].strip()
            if command.startswith(". "):
                activate = f"{command} && "
            elif command == "make test":
                pass  # which runs this test
            elif command.startswith("make ui"):
                told += serve_and_stop(checkout, command)
            else:
                told += checkout("bash", "-ec", activate + command)
            if command.startswith("dvc queue start"):
                wait_for_queue(checkout)
            ran += 1
        if after.language == "text" and not after.text.startswith("error: "):
            assert after.text in told
    assert ran >= (4 if document == "README.md" or "tutorial" in document else 1)
    assert checkout("git", "branch", "--show-current").strip() == "main"
    assert checkout.status() == "", "the last command brings the committed result back"

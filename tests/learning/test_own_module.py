"""A model of one's own is a class of a file in modules/; what is wrong there is one message."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import job

from pipeline.learning import construction, own_module
from pipeline.settings.errors import UserError

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, features, targets):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, 4), nn.Tanh(), nn.Linear(4, targets))

    def forward(self, x):
        return self.layers(x)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder modules/ of a repository, with one file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    path, modules = [*sys.path], set(sys.modules)
    (tmp_path / "modules").mkdir()
    (tmp_path / "pipeline").mkdir()
    write("my_models", NET)
    yield tmp_path / "modules"
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(name: str, text: str) -> None:
    path = Path("modules", f"{name}.py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def refused(name: str = "my_models.Net", text: str | None = None) -> str:
    if text is not None:
        write(name.partition(".")[0], text)
    with pytest.raises(UserError) as caught:
        construction.initial(job(model__module=name).model, 2, 1)
    return str(caught.value)


def test_the_class_is_made_for_the_features_and_targets_of_the_job() -> None:
    module = construction.initial(job(model__module="my_models.Net").model, 3, 2)
    assert type(module).__name__ == "Net"
    assert module(torch.zeros(5, 3)).shape == (5, 2)
    assert not list(Path("modules").rglob("__pycache__")), "DVC and git would see another folder"


def test_files_may_import_each_other_and_lie_in_folders() -> None:
    write("blocks", "from torch import nn\n\nLayer = nn.Linear\n")
    write("nets/deep", NET.replace("nn.Linear(4", "Layer(4") + "\nfrom blocks import Layer\n")
    module = own_module.construct("nets.deep.Net", 2, 1)
    assert module(torch.zeros(5, 2)).shape == (5, 1)


def test_an_edit_counts_also_in_a_process_that_runs_on() -> None:
    assert len([*own_module.construct("my_models.Net", 2, 1).parameters()]) == 4
    write("my_models", NET.replace("nn.Tanh(), nn.Linear(4, targets)", "nn.Tanh()"))
    assert len([*own_module.construct("my_models.Net", 2, 1).parameters()]) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "my_model.Net",
            "found my_model.Net, but there is no file modules/my_model.py; did you mean"
            " my_models.Net?",
        ),
        ("other.Net", "found other.Net, but there is no file modules/other.py; write it there"),
        (
            "my_models.net",
            "modules/my_models.py has no class net; did you mean my_models.Net? it has Net",
        ),
        ("my_models.Other", "modules/my_models.py has no class Other; it has Net"),
        (
            "my_models.torch",
            "torch of modules/my_models.py is a module and no nn.Module; write `class"
            " torch(nn.Module)`",
        ),
    ],
)
def test_a_file_or_a_class_that_is_not_there(name: str, message: str) -> None:
    assert refused(name) == f"model.module: {message}"


def test_a_temporary_experiment_lacks_files_that_git_does_not_know(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path_factory.mktemp("root")))
    assert refused("other.Net").endswith(
        "or, if it is in your folder, `git add modules/other.py`: a temporary experiment has the"
        " files that git knows"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "class Net:\n    pass\n",
            "Net of modules/my_models.py is a class and no nn.Module; write `class Net(nn.Module)`",
        ),
        (
            "def Net(features, targets):\n    return 1\n",
            "Net of modules/my_models.py is a function and no nn.Module; write `class"
            " Net(nn.Module)`",
        ),
        (
            "\nNet = nn.Module\n",
            "my_models.Net cannot be imported: modules/my_models.py:2: NameError: name 'nn' is not"
            " defined",
        ),
        (
            "import sys\nsys.exit(3)\n",
            "my_models.Net cannot be imported: modules/my_models.py:2: SystemExit: 3",
        ),
        (
            "x = 1\nclass Net(:\n",
            "my_models.Net cannot be imported: modules/my_models.py:2: SyntaxError: invalid syntax",
        ),
        (
            "import not_there_at_all\n",
            "my_models.Net cannot be imported: modules/my_models.py:1: ModuleNotFoundError: No"
            " module named 'not_there_at_all'",
        ),
        (
            NET.replace("nn.Sequential", "missing"),
            "my_models.Net cannot be made as Net(2, 1): modules/my_models.py:9: NameError: name"
            " 'missing' is not defined",
        ),
        (
            NET.replace("features, targets):", "features):"),
            "my_models.Net cannot be made as Net(2, 1): TypeError: Net.__init__() takes 2"
            " positional arguments but 3 were given",
        ),
        (
            NET.replace("return self.layers(x)", "return self.layers(x.reshape(-1))"),
            "Net cannot answer two rows of 2 features: modules/my_models.py:12: RuntimeError",
        ),
        ("", "modules/my_models.py has no class Net; it has no nn.Module"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_said_with_its_line(text: str, message: str) -> None:
    told = refused(text=text)
    if "SyntaxError" in message:
        told = re.sub(r" \(my_models.py, line 2\)$", "", told)
    assert told.startswith(f"model.module: {message}")
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["torch", "json", "numpy", "pytest"])
def test_a_file_must_not_have_the_name_of_a_package(name: str) -> None:
    assert refused(f"{name}.Net", NET) == (
        f"model.module: modules/{name}.py has the name of {name}, which Python imports in its"
        " place; give it another name"
    )


def test_a_link_leads_out_of_the_folder(folder: Path) -> None:
    (folder.parent / "elsewhere.py").write_text(NET)
    (folder / "linked.py").symlink_to("../elsewhere.py")
    assert refused("linked.Net") == (
        "model.module: modules/linked.py is a link or behind one; copy the file there"
    )


def test_what_no_stage_depends_on_is_not_imported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(folder.parent))
    (folder.parent / "my_helpers.py").write_text("width = 4\n")
    assert refused(text=f"import my_helpers\n{NET}") == (
        "model.module: my_models.Net imports my_helpers.py; DVC would not see when that changes:"
        " move it to modules/"
    )

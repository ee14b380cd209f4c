"""A model of the user's own: a class of a file in the folder modules/, which `model.module` names.

The stages that make the module depend on the whole folder, so its files may import each other. What
they import from elsewhere in the repository is refused, because no stage would see its edits.
"""

import difflib
import importlib
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path

from torch import nn

from pipeline.settings import dvc_md5, files
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of

FOLDER = Path(dvc_md5.MODULES_FOLDER)

_imported: dict[Path, str] = {}
"""The folder that this process imports from, and its md5 when it did."""


def construct(name: str, features: int, targets: int) -> nn.Module:
    """Return the module that `model.module` names, made as CLASS(features, targets).

    name: FILE.CLASS, such as my_models.Net.
    Raises UserError if there is no such file or class, if the file cannot be imported or lies
    elsewhere, if the class is no nn.Module, or if it raises.
    """
    before = set(sys.modules)
    module_class = load(name)
    with blamed(
        f"model.module: {name} cannot be made as {name.split('.')[-1]}({features}, {targets})"
    ):
        module = module_class(features, targets)
    _refuse_imports(name, before)
    return module


def load(name: str) -> type[nn.Module]:
    """Return the class that `model.module` names. Raises UserError as `construct` does."""
    *file_parts, class_name = name.split(".")
    path = FOLDER.joinpath(*file_parts).with_suffix(".py")
    _refuse_place(path, name)
    _refuse_shadow(path, file_parts[0])
    with blamed(f"model.module: {name} cannot be imported"):
        imported = vars(_import(".".join(file_parts)))
    classes = [key for key, value in imported.items() if _is_module(value)]
    if class_name not in imported:
        near = difflib.get_close_matches(class_name, classes, 1)
        hint = f"did you mean {'.'.join(file_parts)}.{near[0]}? " if near else ""
        of_them = first_of(classes, 8) or "no nn.Module"
        raise UserError(f"model.module: {path} has no class {class_name}; {hint}it has {of_them}")
    found = imported[class_name]
    if not _is_module(found):
        what = "class" if inspect.isclass(found) else type(found).__name__
        raise UserError(
            f"model.module: {class_name} of {path} is a {what} and no nn.Module; write"
            f" `class {class_name}(nn.Module)`"
        )
    return found  # type: ignore[no-any-return]


@contextmanager
def blamed(what: str) -> Iterator[None]:
    """Turn any exception of the user's code into a UserError that begins with `what`."""
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:  # the user's own code: it may raise anything
        raise UserError(f"{what}: {_place(error)}{type(error).__name__}: {error}") from error


def _place(error: BaseException) -> str:
    """Return the user's line that raised, "modules/my_models.py:3: ", or "" if none is known."""
    if isinstance(error, SyntaxError) and error.filename:
        lines = [(error.filename, error.lineno)]
    else:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [(frame.filename, frame.lineno) for frame in frames]
    here = FOLDER.absolute()
    own = [(Path(path), line) for path, line in lines if Path(path).is_relative_to(here)]
    return "".join(f"{path.relative_to(Path.cwd())}:{line}: " for path, line in own[-1:])


def _import(name: str) -> object:
    """Import a file of the folder, and its neighbours, anew if the folder has changed."""
    folder, md5 = FOLDER.absolute(), dvc_md5.of(FOLDER)
    if _imported.get(folder) != md5:
        for old in _imported:
            sys.path[:] = [entry for entry in sys.path if entry != str(old)]
            for key, value in [*sys.modules.items()]:
                if (file := _file(value)) and file.is_relative_to(old):
                    del sys.modules[key]
        _imported.clear()
        _imported[folder] = md5
        sys.path.append(str(folder))  # at the end: packages keep their names
        importlib.invalidate_caches()
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        return importlib.import_module(name)
    finally:
        sys.dont_write_bytecode = writes


def _refuse_place(path: Path, name: str) -> None:
    """Refuse a file that is not there, or only linked: DVC would not see what is behind a link."""
    if not path.is_file():
        stems = {each.relative_to(FOLDER).with_suffix("") for each in FOLDER.rglob("*.py")}
        dotted = sorted(".".join(stem.parts) for stem in stems)
        near = difflib.get_close_matches(name.rpartition(".")[0], dotted, 1)
        hint = f"did you mean {near[0]}.{name.rpartition('.')[2]}?" if near else "write it there"
        if Path.cwd() != files.root():
            hint += f", or, if it is in your folder, `git add {path}`: a temporary experiment has"
            hint += " the files that git knows"
        raise UserError(f"model.module: found {name}, but there is no file {path}; {hint}")
    if path.resolve() != Path.cwd().resolve() / path:
        raise UserError(f"model.module: {path} is a link or behind one; copy the file there")


def _refuse_shadow(path: Path, name: str) -> None:
    """Refuse a file or folder with the name of something else that Python would import."""
    own = {str(FOLDER.absolute()), *map(str, _imported)}
    others = [entry for entry in sys.path if entry not in own]
    spec = None if name in sys.stdlib_module_names else PathFinder.find_spec(name, others)
    if name in sys.stdlib_module_names or (spec is not None and spec.origin is not None):
        taken = FOLDER / path.relative_to(FOLDER).parts[0]
        raise UserError(
            f"model.module: {taken} has the name of {name}, which Python imports in its place; give"
            " it another name"
        )


def _refuse_imports(name: str, before: set[str]) -> None:
    """Refuse imports from elsewhere in the repository: DVC would not see when they change."""
    installed = {Path(place).resolve() for place in sysconfig.get_paths().values()}
    inside = FOLDER.resolve(), Path(dvc_md5.CODE_FOLDER).resolve()
    outside = [
        file.relative_to(Path.cwd().resolve())
        for key in sys.modules.keys() - before
        if (file := _file(sys.modules[key]))
        and file.is_relative_to(Path.cwd().resolve())
        and not any(file.is_relative_to(place) for place in (*inside, *installed))
    ]
    if outside:
        raise UserError(
            f"model.module: {name} imports {first_of(sorted(map(str, outside)), 3)}; DVC would not"
            f" see when that changes: move it to {FOLDER}/"
        )


def _file(module: object) -> Path | None:
    """Return the file of an imported module, if it has one."""
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None


def _is_module(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, nn.Module)

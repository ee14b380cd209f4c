"""Code that each stage of dvc.yaml depends on. `make wiring` writes it into dvc.yaml.

A room of which a stage imports anything is a dependency as a folder, except that

- settings has several subjects: those of its modules that cannot change a number do not count;
- what MLflow shows is made by `track` alone: no other stage depends on tracking.
"""

import ast
import re
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).parent.parent
DVC_YAML = ROOT / "dvc.yaml"

SPEAKING = {"column_contradictions", "contradictions", "declared", "errors", "inputs", "messages"}
SPEAKING |= {"params", "processes", "regular_file", "runner", "safe_path", "signals", "stamps"}
SPEAKING |= {"terminal", "yaml_values"}
"""Modules of settings that read, refuse or explain, or begin and end a program.

The values that params reads are declared key by key; sections and yaml_file give them their types.
runner calls environment.prepare, which counts; that it does is a test of its own, in test_runner.
"""

GUARDING = {"contradictions", "inputs", "stamps"}
"""Modules that only refuse a result. What they alone import changes no number either."""


def imported(module: Path, without: Collection[str], seen: set[Path]) -> set[Path]:
    """Return the files under pipeline/ that importing `module` runs, itself included.

    without: rooms that do not count.
    """
    if module in seen or module.parent.name in without:
        return seen
    seen.add(module)
    if module.stem in GUARDING:
        return seen
    for node in ast.walk(ast.parse(module.read_text())):
        assert not getattr(node, "level", 0), f"{module}: a relative import is not followed"
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            path = ROOT / f"{name.replace('.', '/')}.py"
            if name.startswith("pipeline.") and path.exists():
                imported(path, without, seen)
    return seen


def code(stage: str) -> list[str]:
    """Return the code that `stage` depends on: files, and rooms as folders, sorted."""
    without = () if stage == "track" else ("tracking",)
    deps = set()
    for path in imported(ROOT / f"pipeline/{stage}.py", without, set()):
        _, *rooms, _ = path.relative_to(ROOT).parts
        if rooms == ["settings"]:
            deps |= {path} if path.stem not in SPEAKING else set()
        else:
            deps.add(path.parent if rooms else path)
    return sorted(dep.relative_to(ROOT).as_posix() for dep in deps)


def wired(dvc_yaml: str) -> str:
    """Return the text of dvc.yaml with the code that each stage depends on."""
    for stage in re.findall(r"^  (\w+):\n    cmd: ", dvc_yaml, re.MULTILINE):
        deps = "".join(f"      - {path}\n" for path in code(stage))
        block = re.compile(rf"(^  {stage}:\n.*?    deps:\n)((?:      - [^\n]*\n)+)", re.M | re.S)
        match = block.search(dvc_yaml)
        assert match is not None, stage
        others = re.sub(r"      - pipeline/.*\n", "", match[2])
        lines = "".join(sorted((others + deps).splitlines(keepends=True)))
        dvc_yaml = dvc_yaml[: match.start()] + match[1] + lines + dvc_yaml[match.end() :]
    return dvc_yaml


if __name__ == "__main__":
    DVC_YAML.write_text(wired(DVC_YAML.read_text()))

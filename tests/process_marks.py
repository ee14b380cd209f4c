"""Tests that start a process or export a model are marked `process`: `make check` leaves them out.

A plugin of tests/conftest.py.
"""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import pytest

HERE = Path(__file__).parent

STARTING_NAMES = {"subprocess", "multiprocessing", "sync_playwright", "export"}
"""Names in code that starts a process, or torch's exporter, which takes as long."""

STARTING_MODULES = {"pipeline.tracking.live", "pipeline.train"}
"""Modules of the pipeline that start one. Git takes milliseconds and does not count."""

watched_tests: list[str] = []
"""The running test, if it must not start a process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start a process, by the names in them, their fixtures and helpers."""
    for item in items:
        if isinstance(item, pytest.Function):
            fixtures = item._fixtureinfo.name2fixturedefs.values()
            functions = [item.function, *(each[-1].func for each in fixtures)]
            seen: set[int] = set()
            if any(starts_a_process(function, seen) for function in functions):
                item.add_marker("process")


def starts_a_process(thing: object, seen: set[int]) -> bool:
    """Return True if `thing`, from a test's module, starts a process, itself or through helpers."""
    if id(thing) in seen:
        return False
    seen.add(id(thing))
    if isinstance(thing, ModuleType):
        return thing.__name__ in STARTING_NAMES | STARTING_MODULES
    if isinstance(thing, tuple | list):
        return any(starts_a_process(each, seen) for each in thing)
    if getattr(thing, "__module__", "") in STARTING_MODULES:
        return True
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, type):
        methods = [each for each in vars(thing).values() if inspect.isfunction(each)]
        return any(starts_a_process(each, seen) for each in methods)
    if not inspect.isfunction(thing) or HERE not in Path(thing.__code__.co_filename).parents:
        return False
    names = set(names_in(thing.__code__))
    known = (thing.__globals__[name] for name in names if name in thing.__globals__)
    return bool(names & STARTING_NAMES) or any(starts_a_process(each, seen) for each in known)


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names in a function's code, and in the functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


@pytest.fixture(autouse=True)
def no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """Make a test fail that starts a process without the mark."""
    watched_tests[:] = [] if request.node.get_closest_marker("process") else [request.node.nodeid]
    yield
    watched_tests[:] = []


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if watched_tests and event == "subprocess.Popen" and arguments[0] != "git":
        raise AssertionError(
            f"{watched_tests[0]} starts a process, but process_marks.starts_a_process did not see"
            f" that: {arguments[:2]}"
        )


sys.addaudithook(_refuse)

"""The next item is computed in a thread, and what that raises is raised here."""

import threading
from collections.abc import Generator

import pytest

from pipeline.learning.ahead import ahead


def numbers(seen: list[str], last: int = 3) -> Generator[int, None, None]:
    try:
        for number in range(last):
            seen.append(threading.current_thread().name)
            yield number
        if last == 2:
            raise ValueError("no more")
    finally:
        seen.append("closed")


def test_items_come_in_order_from_another_thread() -> None:
    seen: list[str] = []
    assert list(ahead(numbers(seen))) == [0, 1, 2]
    assert len(seen) == 4
    assert seen[-1] == "closed"
    assert threading.current_thread().name not in seen


def test_the_next_item_is_computed_while_the_caller_works() -> None:
    computed = threading.Event()

    def items() -> Generator[int, None, None]:
        yield 0
        computed.set()
        yield 1

    for item in ahead(items()):
        if item == 0:
            assert computed.wait(900)


def test_an_exception_comes_after_the_items_before_it() -> None:
    reading = ahead(numbers([], 2))
    assert [next(reading), next(reading)] == [0, 1]
    with pytest.raises(ValueError, match="no more"):
        next(reading)


def test_a_caller_who_stops_leaves_no_thread() -> None:
    seen: list[str] = []
    reading = ahead(numbers(seen))
    assert next(reading) == 0
    reading.close()  # type: ignore[attr-defined]
    assert seen[-1] == "closed"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ahead")]

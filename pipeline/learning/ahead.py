"""Work ahead: the next item is computed in a thread while the caller works with this one."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item, None, None]) -> Iterator[Item]:
    """Yield the items of a generator, which computes one item ahead in a thread of its own.

    While the caller works with an item, the generator works at the next one, so it may write into
    the memory of the item before. What the generator raises is raised here.
    """
    end = object()
    with closing(items), ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]

"""Every test starts with the signals as a terminal gives them, and leaves them so.

A plugin of tests/conftest.py.
"""

import signal
from collections.abc import Iterator

import pytest

# A shell that starts the tests in the background has Ctrl-C ignored, by all that they start, too;
# nohup does the same with the signal of a terminal that closes.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def signals_as_found() -> Iterator[None]:
    """Fail a test that leaves Ctrl-C handled otherwise: all that is started later inherits it.

    A test that runs `runner.program` in its own process does so. It is to start a process instead.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    found = [signal.getsignal(number) for number in numbers]
    yield
    left = [signal.getsignal(number) for number in numbers]
    for number, handler in zip(numbers, found, strict=True):
        signal.signal(number, handler)
    assert left == found, "the test has changed what a signal does"

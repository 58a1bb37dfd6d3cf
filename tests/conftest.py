"""What holds for every test: its process, its ports, its children's signals, and its end."""

import signal
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest

from embedded.ports import free_ports

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _let_children_hear_signals() -> None:
    """Ignore in this process alone what whoever started it (`&`, `nohup`) had it ignore.

    A program inherits what is ignored, but never a handler: with one that does nothing here, the
    programs that tests start and signal begin with the default.
    """
    for number in _ENDING_SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING_SIGNALS)


_let_children_hear_signals()


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of several processes, one runs all tests of the whole stack, and one all tests of a file."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        is_on_stack = "stack" in fixtures and "integration" in item.path.parts
        item.add_marker(pytest.mark.xdist_group("stack" if is_on_stack else item.path.stem))


@pytest.fixture(scope="session")
def unused_tcp_port_factory() -> Callable[[], int]:
    """Ports that nothing takes by chance, in place of those of pytest-asyncio."""
    return lambda: free_ports(1)[0]


@pytest.fixture(scope="session", autouse=True)
def _nothing_outlives_the_tests() -> Iterator[None]:
    """Threads and processes that a test began and did not end fail the run."""
    before = _living()
    yield
    assert not (left := _living() - before), f"begun by a test and not ended: {left}"


def _living() -> set[threading.Thread | psutil.Process]:
    threads = {thread for thread in threading.enumerate() if not thread.daemon}
    return threads | set(psutil.Process().children(recursive=True))

"""Children that died and were not waited for: nobody misses them, so nobody replaces them."""

import time

import psutil

_LOOK_SECONDS = 2.0  # looking reads the table of all processes


class LostProcesses:
    """Finds the dead children of a process that its parent does not reap.

    A child that ends in good order is a zombie for an instant; one that is seen so twice is lost.
    """

    def __init__(self) -> None:
        self._suspects: set[int] = set()
        self._next_look = 0.0

    def of(self, parent: int | None) -> list[int]:
        """Return the process ids of the lost children of `parent`; looks every other second."""
        if parent is None or time.monotonic() < self._next_look:
            return []
        self._next_look = time.monotonic() + _LOOK_SECONDS
        zombies = _zombies(parent)
        lost, self._suspects = zombies & self._suspects, zombies
        return sorted(lost)


def _zombies(parent: int) -> set[int]:
    try:
        children = psutil.Process(parent).children()
        return {child.pid for child in children if child.status() == psutil.STATUS_ZOMBIE}
    except psutil.NoSuchProcess:
        return set()

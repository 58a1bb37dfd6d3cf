"""A circuit breaker: what has just failed is left alone for a while."""

import time
from collections.abc import Callable

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0


class Breaker:
    """Open after a failure: then one try is let through per pause, which doubles each time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._retry_at = 0.0
        self.is_open = False

    def lets_through(self) -> bool:
        """Whether to try now; where it is open, the others wait for how this try ends."""
        if not self.is_open:
            return True
        if self._clock() < self._retry_at:
            return False
        self._retry_at = self._clock() + self._pause_seconds
        return True

    def report_success(self) -> bool:
        """Close; whether it was open."""
        was_open, self.is_open = self.is_open, False
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        return was_open

    def report_failure(self) -> bool:
        """Open, or stay open for longer; whether it was closed."""
        was_closed, self.is_open = not self.is_open, True
        self._retry_at = self._clock() + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
        return was_closed

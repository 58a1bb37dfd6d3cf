"""Retries of jobs and messages: the request for one, and its pause."""

from dataclasses import dataclass


class TryAgain(Exception):  # noqa: N818 - a request, not a failure
    """The work is to be done again after a while."""

    def __init__(self, delay_seconds: float) -> None:
        super().__init__(f"in {delay_seconds:g} s")
        self.delay_seconds = delay_seconds


@dataclass(frozen=True)
class Backoff:
    """Pauses that double from the first to the longest."""

    first_seconds: float
    longest_seconds: float

    def delay(self, attempts: int) -> float:
        """The pause after so many attempts."""
        # Beyond any longest pause, and far from overflowing.
        doublings = min(max(attempts - 1, 0), 30)
        return min(self.first_seconds * (1 << doublings), self.longest_seconds)

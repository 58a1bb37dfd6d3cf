"""How many of a kind may be in work at once, and when it is worth to come again."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from preprocess_service.errors import QueueFullError

_MEASURED_SECONDS = 60
#: Told while nothing has been finished that the next end could be foretold from.
_UNKNOWN_SECONDS = 5


class Slots:
    """Counts what is in work; full means that the next one is refused.

    `what` says in the refusal what is full, and which setting bounds it.
    """

    def __init__(self, size: int, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._what = what
        self._clock = clock
        # One per second is all that `Retry-After` can tell.
        self._finished: deque[float] = deque(maxlen=_MEASURED_SECONDS)
        self.taken = 0

    def require_free(self) -> None:
        """Refuse early what would be refused later.

        Raises:
            QueueFullError: No slot is free; it says when one will be, as the last minute went.
        """
        if self.taken >= self._size:
            raise QueueFullError(f"{self._what}; try again.", self._seconds_until_free())

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Hold one slot for the block.

        Raises:
            QueueFullError: As `require_free`.
        """
        self.require_free()
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._finished.append(self._clock())

    def _seconds_until_free(self) -> int:
        while self._finished and self._finished[0] < self._clock() - _MEASURED_SECONDS:
            self._finished.popleft()
        if not self._finished:
            return _UNKNOWN_SECONDS
        return math.ceil(_MEASURED_SECONDS / len(self._finished))

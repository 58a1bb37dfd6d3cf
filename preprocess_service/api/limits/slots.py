"""Slots: the limits of what is in work at once, over all callers and for one caller."""

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from preprocess_service.errors import QueueFullError
from preprocess_service.settings import Settings

_MEASURED_SECONDS = 60
#: Told while nothing has been finished that the next end could be foretold from.
_UNKNOWN_SECONDS = 5


@dataclass(frozen=True)
class Bound:
    """A number of slots; `what` says in a refusal what is full, and which setting bounds it."""

    size: int
    what: str


class Slots:
    """Counts what is in work; full means that the next one is refused.

    Of all `size` slots one caller may hold as many as `share` says: some are left for others.
    """

    def __init__(
        self,
        size: int,
        what: str,
        clock: Callable[[], float] = time.monotonic,
        share: Bound | None = None,
    ) -> None:
        self._all = Bound(size, what)
        self._share = share
        self._clock = clock
        # One per second is all that `Retry-After` can tell.
        self._finished: deque[float] = deque(maxlen=_MEASURED_SECONDS)
        self._held_by: Counter[str] = Counter()
        self.taken = 0

    def require_free(self, caller: str = "") -> None:
        """Refuse early what would be refused later.

        Raises:
            QueueFullError: No slot is free for the caller; it says when one will be, as the last
                minute went.
        """
        if self.taken >= self._all.size:
            raise self._full(self._all)
        if self._share and self._held_by[caller] >= self._share.size:
            raise self._full(self._share)

    @contextmanager
    def hold(self, caller: str = "") -> Iterator[None]:
        """Hold one slot for the block.

        Raises:
            QueueFullError: As `require_free`.
        """
        self.require_free(caller)
        self.taken += 1
        self._held_by[caller] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._held_by[caller] -= 1
            if not self._held_by[caller]:
                del self._held_by[caller]
            self._finished.append(self._clock())

    def _full(self, bound: Bound) -> QueueFullError:
        return QueueFullError(f"{bound.what}; try again.", self._seconds_until_free())

    def _seconds_until_free(self) -> int:
        while self._finished and self._finished[0] < self._clock() - _MEASURED_SECONDS:
            self._finished.popleft()
        if not self._finished:
            return _UNKNOWN_SECONDS
        return math.ceil(_MEASURED_SECONDS / len(self._finished))


def document_slots(settings: Settings) -> Slots:
    """The slots of documents that are read within their request."""
    return Slots(
        settings.max_concurrent_documents,
        "As many documents as allowed are in work (MAX_CONCURRENT_DOCUMENTS)",
    )


def upload_slots(settings: Settings) -> Slots:
    """The slots of bodies that are being received."""
    return Slots(
        settings.max_concurrent_uploads,
        "As many uploads as allowed are being received (MAX_CONCURRENT_UPLOADS)",
        share=Bound(
            settings.uploads_per_caller,
            "As many uploads of one caller as allowed are being received (UPLOADS_PER_CALLER)",
        ),
    )


def download_slots(settings: Settings) -> Slots:
    """The slots of documents that are fetched within their request."""
    return Slots(
        settings.max_concurrent_uploads,
        "As many documents as allowed are being fetched (MAX_CONCURRENT_UPLOADS)",
        share=Bound(
            settings.uploads_per_caller,
            "As many documents for one caller as allowed are being fetched (UPLOADS_PER_CALLER)",
        ),
    )


def wait_slots(settings: Settings) -> Slots:
    """The slots of callers that wait for a job or follow it."""
    return Slots(
        settings.max_concurrent_waits,
        "As many callers as allowed wait for jobs or follow them (MAX_CONCURRENT_WAITS)",
        share=Bound(
            settings.waits_per_caller,
            "One caller waits for as many jobs, or follows them, as allowed (WAITS_PER_CALLER)",
        ),
    )


def result_slots(settings: Settings) -> Slots:
    """The slots of results of jobs that are written and sent."""
    return Slots(
        settings.max_concurrent_results,
        "As many results as allowed are being written and sent (MAX_CONCURRENT_RESULTS)",
        share=Bound(
            settings.results_per_caller,
            "As many results as allowed are being written and sent to one caller "
            "(RESULTS_PER_CALLER)",
        ),
    )

"""HTTP/1.1 of uvicorn, with an end for heads of requests that never come."""

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class PatientlessProtocol(HttpToolsProtocol):
    """Closes a connection whose request's head is not there in time.

    uvicorn bounds idle connections after their first request alone: one that says nothing, or
    says it byte by byte, would stay for ever.
    """

    def __init__(self, *args: Any, header_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._header_seconds = header_seconds
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first head from now on."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._stop_expecting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Expect the rest of this head."""
        super().on_message_begin()
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._stop_expecting()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self._header_seconds, self._give_up)

    def _stop_expecting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def protocol(header_seconds: float) -> Any:
    """The protocol class that `uvicorn.run(http=…)` takes."""
    return partial(PatientlessProtocol, header_seconds=header_seconds)

"""The drain before a stop: requests in work are finished, new ones are refused."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ocr_base.version import API
from preprocess_service.api.error_handlers import problem_response
from preprocess_service.errors import ShuttingDownError

#: Answered to the end: whether the process lives, and what it has done.
_OPEN_PATHS = {f"{prefix}{path}" for prefix in ("", API) for path in ("/health", "/metrics")}

_Handler = Callable[[int, FrameType | None], object] | int | None

_log = logging.getLogger(__name__)


class Drain:
    """Turns a signal to stop into a drain, at whose end the server's own handler is called.

    The server's handler closes the port at once, so that nobody would hear of the stop.
    """

    def __init__(self, signals: Sequence[signal.Signals], timeout_seconds: float) -> None:
        self._signals = signals
        self._timeout_seconds = timeout_seconds
        self._idle = asyncio.Event()
        self._idle.set()
        self._in_work = 0
        self._draining: asyncio.Task[None] | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the process is to stop."""
        return self._draining is not None

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Listen to the signals for the block.

        They reach the main thread alone; in any other, whoever started it ends it.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        handlers = {number: signal.getsignal(number) for number in self._signals}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, self._begin, number, handler)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    @contextmanager
    def working(self) -> Iterator[None]:
        """What the drain waits for."""
        self._in_work += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._in_work -= 1
            if not self._in_work:
                self._idle.set()

    def _begin(self, number: signal.Signals, handler: _Handler) -> None:
        # A second Ctrl-C means now; a second SIGTERM may be the same one, sent on by a parent.
        if self._draining is None:
            _log.info("shutting down", extra={"requests_in_work": self._in_work})
            self._draining = asyncio.create_task(self._end(number, handler))
        elif number == signal.SIGINT and callable(handler):
            handler(number, None)

    async def _end(self, number: signal.Signals, handler: _Handler) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), self._timeout_seconds)
        if callable(handler):
            handler(number, None)


class DrainMiddleware:
    """Refuses what comes while the process is about to stop.

    The drain does not wait for GET: who waits for a job or follows it goes on elsewhere.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self._app = app
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in _OPEN_PATHS:
            await self._app(scope, receive, send)
        elif self._drain.has_begun:
            error = ShuttingDownError("This server is about to stop; try again.")
            response = problem_response(Request(scope), error)
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
        else:
            with self._drain.working():
                await self._app(scope, receive, send)

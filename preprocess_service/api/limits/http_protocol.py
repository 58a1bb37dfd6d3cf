"""HTTP/1.1 of uvicorn, with bounds for what a client may send without ever being answered."""

import asyncio
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from preprocess_service.api.error_handlers import render_problem
from preprocess_service.api.limits.answer_deadline import AnswerDeadline
from preprocess_service.api.limits.connections import Connections
from preprocess_service.errors import (
    MalformedRequestError,
    QueueFullError,
    RequestHeadTooLargeError,
)
from preprocess_service.problem import ServiceError

# A head is counted piece by piece, so it is known to be too large before much more is kept of it.
_PIECE_BYTES = 16 * 1024
#: Requests of one connection that may wait for the answer to the one before them.
_MAX_PIPELINED = 8


@dataclass(frozen=True)
class Bounds:
    """What a connection may take.

    Attributes:
        header_seconds: In which a head must have come.
        head_bytes: Of one head, and of a body's trailers.
        headers: In one head, trailers included.
        answer_seconds: In which a client must take what lies in the connection's buffer.
    """

    header_seconds: float
    head_bytes: int
    headers: int
    answer_seconds: float


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request's head is not there in time, or has no end.

    So it does where its client does not take its answers, and where too many others are open.

    uvicorn bounds idle connections after their first request alone: one that says nothing, or
    says it byte by byte, would stay for ever. It keeps whatever comes of a head, or behind the
    last chunk of a body, as long as more comes.
    """

    def __init__(self, *args: Any, bounds: Bounds, connections: Connections, **kwargs: Any) -> None:
        self._body_parts: list[bytes] = []
        # A body may come in chunks of a byte: each must cost next to nothing.
        self.on_body = self._body_parts.append  # type: ignore[method-assign, assignment]
        super().__init__(*args, **kwargs)
        self._bounds = bounds
        self._open = connections
        self._answer_deadline: AnswerDeadline
        self._head_timer: asyncio.TimerHandle | None = None
        self._refusal: ServiceError | None = None
        # Since the parser last gave a head or a part of a body.
        self._withheld_bytes = 0
        self._kept_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect the first head from now on."""
        super().connection_made(transport)
        self._answer_deadline = AnswerDeadline(transport, self.loop, self._bounds.answer_seconds)
        self._expect_head()
        if error := self._open.enter(self._host):
            self._end_with(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing more."""
        self._open.leave(self._host)
        self._stop_expecting()
        self._answer_deadline.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse in pieces; what comes after a refusal is not looked at."""
        for start in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            piece = data[start : start + _PIECE_BYTES]
            self._withheld_bytes += len(piece)
            super().data_received(piece)
            self._hand_over()
            if self._withheld_bytes > self._bounds.head_bytes and not self.transport.is_closing():
                self._end_with(self._too_large())

    def on_message_begin(self) -> None:
        """Expect the rest of this head."""
        super().on_message_begin()
        self._kept_bytes = 0
        self._answer_deadline.go_on()
        if self._head_timer is None:
            self._expect_head()

    def on_url(self, url: bytes) -> None:
        """Count what is kept."""
        self._keep(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count what is kept; a body's trailers are headers too."""
        self._keep(name, value)
        if len(self.headers) >= self._bounds.headers:
            self._refuse(
                RequestHeadTooLargeError(
                    f"The request has more than {self._bounds.headers} headers (MAX_HEADERS)."
                )
            )
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here."""
        self._stop_expecting()
        self._withheld_bytes = 0
        super().on_headers_complete()
        if len(self.pipeline) > _MAX_PIPELINED:
            self._refuse(
                QueueFullError(
                    f"More than {_MAX_PIPELINED} requests wait on one connection; read the "
                    "answers first."
                )
            )

    def on_message_complete(self) -> None:
        """What comes now is of another request."""
        self._hand_over()
        self._withheld_bytes = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Say why the connection ends, and end it."""
        self._answer(self._refusal or MalformedRequestError(msg))
        self._answer_deadline.expect_end()

    def on_response_complete(self) -> None:
        """Expect the client to take the rest of the answer."""
        super().on_response_complete()
        self._answer_deadline.expect_end()

    def pause_writing(self) -> None:
        """Expect the client to take some of the answer."""
        super().pause_writing()
        self._answer_deadline.pause()

    def resume_writing(self) -> None:
        """The client has taken most of it."""
        super().resume_writing()
        self._answer_deadline.resume()

    @property
    def _host(self) -> str | None:
        return self.client[0] if self.client else None

    def _end_with(self, error: ServiceError) -> None:
        self._refusal = error
        self.send_400_response("")

    def _answer(self, error: ServiceError) -> None:
        answer = render_problem(error, uuid.uuid4().hex)
        headers = [*answer.raw_headers, (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(
            b"".join((STATUS_LINE[answer.status_code], *lines, b"\r\n", bytes(answer.body)))
        )
        self.transport.close()

    def _hand_over(self) -> None:
        if self._body_parts:
            body = b"".join(self._body_parts)
            self._body_parts.clear()
            self._withheld_bytes = 0
            super().on_body(body)

    def _keep(self, *parts: bytes) -> None:
        self._kept_bytes += sum(map(len, parts))
        if self._kept_bytes > self._bounds.head_bytes:
            self._refuse(self._too_large())

    def _too_large(self) -> RequestHeadTooLargeError:
        return RequestHeadTooLargeError(
            f"The head of the request is larger than {self._bounds.head_bytes >> 10} KB "
            "(MAX_HEAD_KB)."
        )

    def _refuse(self, error: ServiceError) -> None:
        """Stop the parser, which then has the connection answered."""
        self._refusal = error
        raise httptools.HttpParserError(error.detail)

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self._bounds.header_seconds, self._give_up)

    def _stop_expecting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
            self._answer_deadline.expect_end()


def protocol(bounds: Bounds, connections: Connections) -> Any:
    """The protocol class that `uvicorn.run(http=…)` takes; each process counts for itself."""
    return partial(BoundedProtocol, bounds=bounds, connections=connections)

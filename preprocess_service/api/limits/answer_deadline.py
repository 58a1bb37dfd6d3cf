"""A deadline for clients that do not take what is sent to them."""

import asyncio
import socket

# The system takes megabytes ahead of a client, and then nothing until a third of them has gone.
_AHEAD_BYTES = 64 * 1024


class AnswerDeadline:
    """Cuts a connection off whose client leaves what was written to it lying for too long.

    `pause` and `resume` follow the transport's own: between them its buffer is fuller than it may
    be. What lies there when an answer, or the connection, is at its end is bounded by `expect_end`.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, seconds: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self._is_paused = False
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _AHEAD_BYTES)

    def pause(self) -> None:
        """Expect the client to take what lies there."""
        self._is_paused = True
        self._start()

    def resume(self) -> None:
        """The client has taken it."""
        self._is_paused = False
        self.stop()

    def go_on(self) -> None:
        """More will be written: a buffer that is filled too much pauses again."""
        if not self._is_paused:
            self.stop()

    def expect_end(self) -> None:
        """Nothing more is written for now; expect the client to take the rest."""
        if self._timer is None and self._transport.get_write_buffer_size():
            self._start()

    def stop(self) -> None:
        """Expect nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self.stop()
        self._timer = self._loop.call_later(self._seconds, self._cut_off)

    def _cut_off(self) -> None:
        self._timer = None
        if self._is_paused or self._transport.get_write_buffer_size():
            self._transport.abort()

"""One rasterizing process, as the service sees it."""

import asyncio
import contextlib
import os
import socket
import sys
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np

from preprocess_service.document import LINES
from preprocess_service.errors import DocumentTooCostlyError, InternalError, error_from_code
from preprocess_service.imaging import channel
from preprocess_service.imaging.raster import (
    DocumentInfo,
    Enhancement,
    PageSize,
    RasterPage,
    RasterRequest,
    TextPage,
)

_START_TIMEOUT_SECONDS = 60.0
# What a process needs to start; secrets of the service are none of its business.
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


class RasterizerProcess:
    """Draws pages in a process of its own; whatever happens there is one error here."""

    def __init__(self, process: asyncio.subprocess.Process, sock: socket.socket) -> None:
        self._process = process
        self._sock = sock
        self._awaits_reply = False
        self.document_id: str | None = None
        self.pages_drawn = 0

    @classmethod
    async def start(cls, memory_bytes: int) -> "RasterizerProcess":
        """A process that is ready for its first document."""
        ours, theirs = channel.make_pair()
        ours.setblocking(False)
        with theirs:
            fd = theirs.fileno()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "preprocess_service.imaging.worker", str(fd),
                str(memory_bytes), pass_fds=[fd], stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            )  # fmt: skip
        worker = cls(process, ours)
        worker._awaits_reply = True
        try:
            await worker._receive(_START_TIMEOUT_SECONDS)
        except BaseException as exc:
            await worker.kill()
            if isinstance(exc, DocumentTooCostlyError):
                raise InternalError("A rasterizing process did not start.") from exc
            raise
        return worker

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.returncode is None and self._sock.fileno() >= 0

    @property
    def is_idle(self) -> bool:
        """Whether it can take the next message."""
        return self.is_alive and not self._awaits_reply

    async def inspect(
        self, request: RasterRequest, file: BinaryIO, timeout_seconds: float
    ) -> DocumentInfo:
        """What the document says of itself; see `RasterizerPool.inspect` for the errors."""
        with contextlib.closing(
            await self._ask("inspect", request, file, timeout_seconds)
        ) as reply:
            assert reply.fd is not None
            rows = channel.map_array(reply.fd, (reply.body["rows"], 3), np.int64).tolist()
        return DocumentInfo(
            page_count=reply.body["page_count"],
            page_indices=[row[0] for row in rows],
            sizes=[PageSize(row[1], row[2]) for row in rows],
            metadata=reply.body["metadata"],
        )

    async def render(
        self, request: RasterRequest, file: BinaryIO, index: int, timeout_seconds: float
    ) -> RasterPage | TextPage:
        """One page; see `RasterizerPool.render` for the errors."""
        message = await self._ask("render", request, file, timeout_seconds, index=index)
        with contextlib.closing(message) as reply:
            assert reply.fd is not None
            self.pages_drawn += 1
            if "text_bytes" in reply.body:
                return _text_page(reply.body, reply.fd)
            pixels = channel.map_array(reply.fd, tuple(reply.body["shape"]), np.uint8)
        enhancement = Enhancement.from_json(reply.body["enhancement"])
        return RasterPage(pixels, reply.body["dpi"], enhancement)

    async def add_text(
        self, request: RasterRequest, file: BinaryIO, pages: bytes, timeout_seconds: float
    ) -> bytes:
        """A searchable PDF; see `RasterizerPool.add_text` for the errors."""
        attachment = channel.write_array(np.frombuffer(pages, np.uint8))
        try:
            message = await self._ask(
                "add_text", request, file, timeout_seconds, attachment=attachment
            )
        finally:
            os.close(attachment)
        with contextlib.closing(message) as reply:
            assert reply.fd is not None
            return await asyncio.to_thread(channel.read_bytes, reply.fd)

    async def settle(self, grace_seconds: float) -> None:
        """Let go of what it was asked: wait for the unread reply, or end the process."""
        if self._awaits_reply:
            try:
                (await self._receive(grace_seconds)).close()
            except DocumentTooCostlyError:
                await self.kill()

    async def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._sock.close()
        await self._process.wait()

    async def _ask(
        self,
        do: str,
        request: RasterRequest,
        file: BinaryIO,
        timeout_seconds: float,
        attachment: int | None = None,
        **more: int,
    ) -> channel.Message:
        self.document_id = request.document_id
        try:
            body = {"do": do, "request": asdict(request), **more}
            channel.send(self._sock, body, file.fileno(), attachment)
        except OSError as exc:
            raise _crashed() from exc
        self._awaits_reply = True
        reply = await self._receive(timeout_seconds)
        if "error" in reply.body:
            reply.close()
            raise error_from_code(reply.body["error"], reply.body["detail"])
        return reply

    async def _receive(self, timeout_seconds: float) -> channel.Message:
        try:
            await asyncio.wait_for(_readable(self._sock), timeout_seconds)
        except asyncio.TimeoutError as exc:
            raise DocumentTooCostlyError(
                f"Reading it takes longer than {timeout_seconds:g} s (PAGE_TIMEOUT)."
            ) from exc
        message = channel.receive(self._sock)
        if message is None:
            raise _crashed()
        self._awaits_reply = False
        return message


def _text_page(body: dict[str, Any], fd: int) -> TextPage:
    lines = channel.map_array(fd, (body["text_bytes"],), np.uint8).tobytes()
    return TextPage(LINES.validate_json(lines), PageSize(**body["size"]), body["dpi"])


def _crashed() -> DocumentTooCostlyError:
    return DocumentTooCostlyError("Reading it ended the process that tried.")


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_reader(sock, lambda: None if ready.done() else ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)

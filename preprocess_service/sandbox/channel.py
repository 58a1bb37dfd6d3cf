"""Messages between the service and a child process: JSON, each with at most two files.

A Unix sequenced-packet socket keeps messages apart and says when the other side has died. What is
large travels as an anonymous memory file (`memfd`): nothing is copied through the socket, and
nothing is left behind however a process ends.
"""

import contextlib
import json
import mmap
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

_MAX_MESSAGE_BYTES = 64 * 1024


@dataclass
class Message:
    """What one side says, and the files that go along; whoever receives them closes them."""

    body: dict[str, Any]
    fd: int | None = None
    attachment: int | None = None

    def close(self) -> None:
        """Close the files that came along, if they still are ours."""
        for fd in (self.fd, self.attachment):
            if fd is not None:
                os.close(fd)
        self.fd = self.attachment = None


class MessageTooLongError(ValueError):
    """The other side could not take it whole; nothing was sent."""


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets: the service's and the child process's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(
    sock: socket.socket,
    body: dict[str, Any],
    fd: int | None = None,
    attachment: int | None = None,
) -> None:
    """Send one message; the files stay open on this side. An attachment needs a file before it.

    Raises:
        MessageTooLongError: Its body has more than 64 KB.
        OSError: The other side is gone.
    """
    # A letter is one to four bytes; escaped, it would be up to twelve.
    data = json.dumps(body, ensure_ascii=False).encode()
    if len(data) > _MAX_MESSAGE_BYTES:
        raise MessageTooLongError(f"{len(data)} bytes are no message.")
    fds = [item for item in (fd, attachment) if item is not None]
    socket.send_fds(sock, [data], fds)


def receive(sock: socket.socket) -> Message | None:
    """The next message, or None once the other side is gone."""
    with contextlib.suppress(ConnectionResetError):
        data, fds, _, _ = socket.recv_fds(sock, _MAX_MESSAGE_BYTES, 2)
        if data:
            return Message(json.loads(data), *fds)
    return None


def write_array(array: npt.NDArray[Any]) -> int:
    """A memory file that holds the array's bytes; the caller closes it."""
    return write_bytes(np.ascontiguousarray(array).data.cast("B") if array.size else b"")


def write_bytes(data: bytes | memoryview) -> int:
    """A memory file that holds the bytes; the caller closes it."""
    fd = os.memfd_create("answer", os.MFD_CLOEXEC)
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(fd, left) :]
    except BaseException:
        os.close(fd)
        raise
    return fd


def write_file(write: Callable[[BinaryIO], None]) -> int:
    """A memory file of what `write` writes into it; the caller closes it."""
    fd = os.memfd_create("file", os.MFD_CLOEXEC)
    try:
        with open(os.dup(fd), "wb") as file:  # noqa: PTH123 - it has no path
            write(file)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_bytes(fd: int) -> bytes:
    """The bytes of a file, whatever its position."""
    with open(os.dup(fd), "rb") as file:  # noqa: PTH123 - it has no path
        file.seek(0)
        return file.read()


def map_array(fd: int, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The array in a memory file, without a copy; its memory goes when the array does."""
    count = int(np.prod(shape))
    if count == 0:
        return np.empty(shape, dtype)
    size = count * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(fd, size, prot=mmap.PROT_READ), dtype).reshape(shape)

"""Messages between the service and a rasterizing process: JSON, each with at most two files.

A Unix sequenced-packet socket keeps messages apart and says when the other side has died. Pixels
travel as an anonymous memory file (`memfd`): nothing is copied through the socket, and nothing is
left behind however a process ends.
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


def make_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected ends: the service's and the process's."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(
    sock: socket.socket,
    body: dict[str, Any],
    fd: int | None = None,
    attachment: int | None = None,
) -> None:
    """Send one message; the files stay open on this side. An attachment needs a file before it."""
    fds = [item for item in (fd, attachment) if item is not None]
    socket.send_fds(sock, [json.dumps(body).encode()], fds)


def receive(sock: socket.socket) -> Message | None:
    """The next message, or None once the other side is gone."""
    with contextlib.suppress(ConnectionResetError):
        data, fds, _, _ = socket.recv_fds(sock, _MAX_MESSAGE_BYTES, 2)
        if data:
            return Message(json.loads(data), *fds)
    return None


def write_array(array: npt.NDArray[Any]) -> int:
    """A memory file that holds the array's bytes; the caller closes it."""
    fd = os.memfd_create("page", os.MFD_CLOEXEC)
    data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
    try:
        while data:
            data = data[os.write(fd, data) :]
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
    """All that a file holds, wherever it stands."""
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

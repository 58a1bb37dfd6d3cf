"""Files on disks: what it means for a caller that one cannot be written, and digests."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from preprocess_service.errors import StorageFullError, StorageUnavailableError
from preprocess_service.problem import ServiceError

_CHUNK_BYTES = 1 << 20
#: What a disk that has no room, a quota that is used up and a file that is too large are told by.
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def disk_error(error: OSError, settings: str) -> ServiceError:
    """The error that a caller sees; `settings` are those that say where the disk is."""
    if error.errno in NO_ROOM:
        return StorageFullError(f"There is no room for the document ({settings}).")
    return StorageUnavailableError(f"The document cannot be kept ({settings}).")


@contextmanager
def temporary_files() -> Iterator[None]:
    """Around every use of a temporary file and of nothing else that raises OSError.

    Raises:
        StorageFullError: There is no room for it.
        StorageUnavailableError: It cannot be made, written or read.
    """
    try:
        yield
    except OSError as exc:
        raise disk_error(exc, "TMPDIR") from exc


def digest_file(file: BinaryIO) -> str:
    """The sha256 of the whole file, wherever it stands; blocks while it reads."""
    # A caller that leaves closes the file under this thread: it then reads nothing that matters.
    descriptor, digest, offset = file.fileno(), hashlib.sha256(), 0
    while chunk := os.pread(descriptor, _CHUNK_BYTES, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()

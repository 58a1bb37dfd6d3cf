"""SHA-256 as hexadecimal digits: what files are pinned, compared and named by."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(data: bytes) -> str:
    """Return the digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return a file's SHA-256, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def digest_of(data: bytes | Path) -> str:
    """Return the digest of bytes, or of a file."""
    return sha256_of(data) if isinstance(data, bytes) else sha256_of_file(data)

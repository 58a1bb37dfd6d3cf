"""Bodies without their content encoding, in pieces of bounded size."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import httpx

from preprocess_service.errors import DocumentTooLargeError

_PIECE_BYTES = 1 << 18


class EncodingError(Exception):
    """The body is damaged, or encoded in a way that nobody asked for."""


async def decoded(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    """The pieces of the body; a decompression bomb comes in as many as its size asks for.

    What follows the end of compressed data is not read.

    Raises:
        EncodingError: It cannot be decoded.
        DocumentTooLargeError: More bytes than allowed came, or are in it.
    """
    async with aclosing(_raw(response)) as raw:
        chunks = _bounded(raw, max_bytes)
        async for piece in _bounded(_decode(response, chunks), max_bytes):
            yield piece


def _raw(response: httpx.Response) -> AsyncGenerator[bytes, None]:
    # Its type leaves out that it can be closed.
    return cast(AsyncGenerator[bytes, None], response.aiter_raw(_PIECE_BYTES))


async def _bounded(pieces: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[bytes]:
    received = 0
    async for piece in pieces:
        received += len(piece)
        if received > max_bytes:
            raise DocumentTooLargeError(
                f"The document is larger than {max_bytes >> 20} MB (MAX_FILE_SIZE_MB)."
            )
        yield piece


async def _decode(response: httpx.Response, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        async for chunk in chunks:
            yield chunk
    # Some stores send what they keep compressed to everybody, asked for or not.
    elif encoding in ("gzip", "x-gzip", "deflate"):
        async for piece in _inflated(chunks):
            yield piece
    else:
        raise EncodingError(encoding)


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        async for chunk in chunks:
            while piece := inflater.decompress(chunk, _PIECE_BYTES):
                yield piece
                chunk = inflater.unconsumed_tail
            if inflater.eof:  # which would keep whatever else it is given
                return
    except zlib.error as exc:
        raise EncodingError(str(exc)) from exc
    raise EncodingError("the body ends too early")

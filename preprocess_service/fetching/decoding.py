"""Bodies without their content encoding, in pieces of bounded size."""

import zlib
from collections.abc import AsyncIterator

import httpx

_PIECE_BYTES = 1 << 18


class EncodingError(Exception):
    """The body is damaged, or encoded in a way that nobody asked for."""


async def decoded(response: httpx.Response) -> AsyncIterator[bytes]:
    """The pieces of the body; a decompression bomb comes in as many as its size asks for.

    Raises:
        EncodingError: It cannot be decoded.
    """
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        async for chunk in response.aiter_raw(_PIECE_BYTES):
            yield chunk
    # Some stores send what they keep compressed to everybody, asked for or not.
    elif encoding in ("gzip", "x-gzip", "deflate"):
        async for piece in _inflated(response.aiter_raw(_PIECE_BYTES)):
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
    except zlib.error as exc:
        raise EncodingError(str(exc)) from exc
    if not inflater.eof:
        raise EncodingError("the body ends too early")

"""Bytes that are said to be a multipart form."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from preprocess_service.api.receiving.multipart import read_form
from preprocess_service.errors import InvalidRequestError

MOST_FILES = 3
PIECES = st.sampled_from(
    [b"--X", b"--X\r\n", b"\r\n--X", b"\r\n--X--", b"--X--\r\n", b"\r\n", b"\n", b"\r", b"--", b";",
     b"Content-Disposition: form-data", b'; name="file"', b'; filename="a.pdf"', b"; filename*=",
     b"UTF-8''%C3%A4%ZZ", b"Content-Type: text/plain", b":", b'"', b"\\", b"\x00", b"\xff\xfe"]
)  # fmt: skip
BODIES = st.lists(PIECES | st.binary(max_size=12), max_size=24).map(b"".join)
TYPES = st.just("multipart/form-data; boundary=X") | st.text(
    st.characters(max_codepoint=255), max_size=60
).map(lambda text: f"multipart/form-data; boundary={text}")
NAMES = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n\x00'), min_size=1)


def read(content_type: str, chunks: list[bytes]) -> list[tuple[str, str | None, bytes]] | str:
    """Name, file name and bytes of each part, or why there are none."""

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    try:
        parts = asyncio.run(read_form(content_type, stream(), MOST_FILES))
    except InvalidRequestError as error:
        return error.detail
    found = []
    for part in parts:
        data = bytes(part.value)
        if part.file is not None:
            part.file.seek(0)
            data = part.file.read()
            assert len(data) == part.size
        part.close()
        found.append((part.name, part.file_name, data))
    return found


@given(content_type=TYPES, body=BODIES)
def test_anything_is_parts_or_refused(content_type: str, body: bytes) -> None:
    found = read(content_type, [body])
    assert isinstance(found, str) or sum(len(data) for *_, data in found) <= len(body)


@given(body=BODIES, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_where_a_form_is_cut_on_its_way_does_not_matter(body: bytes, cuts: list[int]) -> None:
    ends = [0, *sorted(cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(ends)]
    content_type = "multipart/form-data; boundary=X"
    at_once, in_pieces = read(content_type, [body]), read(content_type, chunks)
    assert at_once == in_pieces or isinstance(at_once, str) is isinstance(in_pieces, str) is True


@given(
    fields=st.lists(
        st.tuples(NAMES, st.none() | NAMES, st.binary(max_size=40)), max_size=MOST_FILES
    )
)
def test_what_a_client_wrote_is_read(fields: list[tuple[str, str | None, bytes]]) -> None:
    body = b""
    for name, file_name, data in fields:
        shown = f'; filename="{file_name}"' if file_name is not None else ""
        head = f'--no-such-line\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
        body += head.encode() + data + b"\r\n"
    body += b"--no-such-line--\r\n"
    found = read("multipart/form-data; boundary=no-such-line", [body])
    assert found == fields

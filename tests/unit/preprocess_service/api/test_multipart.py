import errno
import io
import tempfile
from collections.abc import AsyncIterator

import pytest

from preprocess_service.api.receiving.multipart import Part, read_form
from preprocess_service.errors import (
    InvalidRequestError,
    StorageFullError,
    StorageUnavailableError,
)

TYPE = "multipart/form-data; boundary=b"


def _part(disposition: str, data: bytes = b"data") -> bytes:
    head = f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n"
    return head.encode() + data + b"\r\n"


async def _pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def _read(*parts: bytes, size: int = 7, end: bytes = b"--b--\r\n") -> list[Part]:
    return await read_form(TYPE, _pieces(b"".join(parts) + end, size), max_files=2)


def _content(part: Part) -> bytes:
    assert part.file is not None
    part.file.seek(0)
    return part.file.read()


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
async def test_files_and_fields_come_in_order_however_the_body_is_cut(size: int) -> None:
    data = bytes(range(256)) * 8
    file, field = await _read(
        _part('name="file"; filename="a.pdf"', data), _part('name="language"', "ä".encode()),
        size=size,
    )  # fmt: skip
    assert (file.name, file.file_name, file.size, _content(file)) == ("file", "a.pdf", 2048, data)
    assert (field.name, field.file_name, field.text) == ("language", None, "ä")
    file.close()


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("filename*=UTF-8''na%C3%AFve%20a.pdf", "naïve a.pdf"),
        ("filename*=utf-8'en'a.pdf", "a.pdf"),
        ("filename=\"plain.pdf\"; filename*=UTF-8''%E2%82%AC.pdf", "€.pdf"),
        ("filename*=UTF-8''%E2%82%AC.pdf; filename=\"plain.pdf\"", "€.pdf"),
        ("filename*=iso-8859-1''%A3.pdf", "£.pdf"),
        ("filename*=unknown''%ff.pdf", "\ufffd.pdf"),
        ("filename*=\"UTF-8''quoted.pdf\"", "quoted.pdf"),
        ("filename=\"x; filename*=UTF-8''y\"", "x; filename*=UTF-8''y"),
        ('filename="na\u00efve.pdf"', "naïve.pdf"),
    ],
)
async def test_the_name_of_a_file_is_read_in_every_spelling(given: str, name: str) -> None:
    (part,) = await _read(_part(f'name="file"; {given}'))
    assert (part.file_name, _content(part)) == (name, b"data")
    part.close()


async def test_a_file_input_that_nobody_filled_in_is_no_file() -> None:
    parts = await _read(_part('name="file"; filename=""', b""), _part('name="url"'))
    assert [part.name for part in parts] == ["url"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([_part('name="f"; filename="a"')] * 3, "at most 2"),
        ([_part('name="a"')] * 65, "at most 64"),
        ([_part('name="a"', bytes(65537))], "larger than 64 KB"),
        ([_part(f'name="f"; filename="{"x" * 256}"')], "longer than 255"),
        ([_part(f"name=f; filename*=UTF-8''{'x' * 256}")], "longer than 255"),
        ([_part(f'name="{"x" * 256}"')], "longer than 255"),
        ([_part(f'name="f"; filename="{"x" * 9000}"')], "no multipart form"),
        ([_part('filename="a"')], "no name"),
        ([b"not a form"], "no multipart form"),
    ],
)
async def test_what_is_too_much_or_broken_is_refused(parts: list[bytes], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        await _read(*parts, size=1 << 16)


async def test_a_form_that_ends_too_early_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="too early"):
        await _read(_part('name="file"; filename="a"'), end=b"")


async def test_a_form_without_boundary_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="boundary"):
        await read_form("multipart/form-data", _pieces(b"x", 1), 1)


class _Broken(io.BytesIO):
    """A file on a disk that refuses every byte."""

    reason = errno.ENOSPC

    def flush(self) -> None:
        raise OSError(self.reason, "refused")


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (errno.ENOSPC, StorageFullError),
        (errno.EDQUOT, StorageFullError),
        (errno.EFBIG, StorageFullError),
        (errno.EIO, StorageUnavailableError),
        (errno.EROFS, StorageUnavailableError),
    ],
)
async def test_a_disk_that_takes_no_small_file_is_told(
    reason: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[_Broken] = []

    def make() -> _Broken:
        files.append(_Broken())
        files[-1].reason = reason
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", make)
    with pytest.raises(error, match="TMPDIR"):
        await _read(_part('name="file"; filename="a"'))
    monkeypatch.setattr(_Broken, "flush", io.BytesIO.flush)
    assert all(file.closed for file in files)


async def test_no_temporary_folder_at_all_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> None:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", make)
    with pytest.raises(StorageUnavailableError, match="TMPDIR"):
        await _read(_part('name="file"; filename="a"'))

"""Multipart forms (RFC 7578), read as they arrive: files onto the disk, fields into memory."""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from preprocess_service.disk import temporary_files
from preprocess_service.errors import InvalidRequestError

if TYPE_CHECKING:  # the library defines it for type checkers alone
    from python_multipart.multipart import MultipartCallbacks

_MAX_FIELDS = 64
_MAX_FIELD_BYTES = 64 * 1024
#: Of a file, and of a field.
_MAX_NAME_CHARACTERS = 255
# A thread is asked to write so much at once.
_WRITE_BYTES = 1 << 20
_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("(?:\\.|[^"\\])*"|[^;]*)')


@dataclass(eq=False)
class Part:
    """One part of a form: a field, or a file at any position.

    Attributes:
        file_name: What the caller calls the file; None of a field.
        file: An open temporary file, which whoever has the part closes.
        size: Bytes of the file.
        value: Bytes of the field.
    """

    name: str
    file_name: str | None = None
    file: BinaryIO | None = None
    size: int = 0
    value: bytearray = field(default_factory=bytearray)

    @property
    def text(self) -> str:
        """The field's value."""
        return _decode(bytes(self.value))

    def close(self) -> None:
        """Let go of the file; it is then gone."""
        if self.file is not None:
            self.file.close()


async def read_form(content_type: str, stream: AsyncIterator[bytes], max_files: int) -> list[Part]:
    """The parts, in order, without those of file inputs that nobody filled in.

    Raises:
        InvalidRequestError: It is broken, ends too early, or holds more than is taken.
        StorageFullError: There is no room for a file.
        StorageUnavailableError: A file cannot be written.
    """
    form = _Form(max_files)
    try:
        parser = MultipartParser(_boundary(content_type), form.callbacks())
        async for chunk in stream:
            parser.write(chunk)
            if form.unwritten_bytes >= _WRITE_BYTES:
                await asyncio.to_thread(form.write)
        await asyncio.to_thread(form.write)
        return form.finish()
    except FormParserError as exc:
        form.close()
        raise InvalidRequestError("The form cannot be read: it is no multipart form.") from exc
    except BaseException:
        form.close()
        raise


class _Form:
    """What a parser has found so far."""

    def __init__(self, max_files: int) -> None:
        self._max_files = max_files
        self._parts: list[Part] = []
        self._header = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._unwritten: list[tuple[Part, bytes]] = []
        self._has_ended = False
        self.unwritten_bytes = 0

    def callbacks(self) -> "MultipartCallbacks":
        """What the parser calls."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._add_part,
            "on_part_data": self._add_data,
            "on_end": self._end,
        }

    def write(self) -> None:
        """Put onto the disk what has come of files; not to be called from the event loop."""
        unwritten, self._unwritten, self.unwritten_bytes = self._unwritten, [], 0
        with temporary_files():
            for part, data in unwritten:
                assert part.file is not None
                part.file.write(data)
            for part in {id(part): part for part, _ in unwritten}.values():
                assert part.file is not None
                part.file.flush()  # what reads it reads the descriptor

    def finish(self) -> list[Part]:
        """The parts, once all has come."""
        if not self._has_ended:
            raise InvalidRequestError("The form cannot be read: it ends too early.")
        kept = [part for part in self._parts if part.file_name != "" or part.size]
        for part in self._parts:
            if part not in kept:
                part.close()
        return kept

    def close(self) -> None:
        """Let go of every file."""
        for part in self._parts:
            part.close()

    def _begin_part(self) -> None:
        self._disposition = b""

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header.clear()
        self._header_value.clear()

    def _add_part(self) -> None:
        name, file_name = _names(self._disposition)
        part = Part(name, file_name)
        self._check_count(is_file=file_name is not None)
        if file_name is not None:
            with temporary_files():
                part.file = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - see Part
        self._parts.append(part)

    def _check_count(self, *, is_file: bool) -> None:
        most, what = (self._max_files, "files") if is_file else (_MAX_FIELDS, "fields")
        if sum((part.file is not None) == is_file for part in self._parts) >= most:
            raise InvalidRequestError(f"The form has too many {what}: at most {most} are taken.")

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part = self._parts[-1]
        if part.file is not None:
            part.size += end - start
            self._unwritten.append((part, data[start:end]))
            self.unwritten_bytes += end - start
        elif len(part.value) + end - start > _MAX_FIELD_BYTES:
            raise InvalidRequestError(
                f"A field of the form is larger than {_MAX_FIELD_BYTES >> 10} KB."
            )
        else:
            part.value += data[start:end]

    def _end(self) -> None:
        self._has_ended = True


def _boundary(content_type: str) -> bytes:
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise InvalidRequestError("The form cannot be read: its Content-Type has no boundary.")
    return boundary


def _names(disposition: bytes) -> tuple[str, str | None]:
    """Name of the field, and of the file if it is one."""
    _, plain = parse_options_header(disposition)
    if b"name" not in plain:
        raise InvalidRequestError("The form cannot be read: a part has no name.")
    name, file_name = _decode(plain[b"name"]), _extended_file_name(disposition.decode("latin-1"))
    if file_name is None and b"filename" in plain:
        file_name = _decode(plain[b"filename"])
    if max(len(name), len(file_name or "")) > _MAX_NAME_CHARACTERS:
        raise InvalidRequestError(
            f"A name in the form is longer than {_MAX_NAME_CHARACTERS} characters."
        )
    return name, file_name


def _extended_file_name(disposition: str) -> str | None:
    """What `filename*=UTF-8''na%C3%AFve.pdf` (RFC 5987) says; some clients send nothing else."""
    for name, value in _PARAMETER.findall(disposition):
        if name.lower() == "filename*":
            charset, _, rest = value.strip().strip('"').partition("'")
            encoded = unquote_to_bytes(rest.partition("'")[2])
            is_latin = charset.lower() == "iso-8859-1"
            return encoded.decode("latin-1" if is_latin else "utf-8", errors="replace")
    return None


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")

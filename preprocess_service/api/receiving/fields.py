"""Bodies without a file: options and links, in JSON or in an URL-encoded form."""

import json
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidOptionsError,
    InvalidRequestError,
)
from preprocess_service.problem import quoted

Pairs = list[tuple[str, str]]

MAX_URL_CHARACTERS = 2048
#: Of a body without a file.
_MAX_BODY_BYTES = 1 << 20


def media_type_of(request: Request) -> str:
    """The media type of the body as the request declares it, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def receive_fields(request: Request) -> Pairs:
    """The fields of a request without a file, whose media type is in `FIELD_READERS`.

    Raises:
        DocumentTooLargeError: It is larger than such a body can be; the rest is not read.
        InvalidRequestError: It cannot be read as what it claims to be.
        InvalidOptionsError: A member of the JSON object is no text, or stands there twice.
    """
    return FIELD_READERS[media_type_of(request)](await _read_body(request))


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise DocumentTooLargeError(f"The body is larger than {_MAX_BODY_BYTES >> 20} MB.")
    return bytes(body)


def _read_json(body: bytes) -> Pairs:
    """The members of a JSON object, as a form would bring them; null counts as not given."""
    try:
        members = json.loads(body, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as exc:
        raise InvalidRequestError("The body is not JSON.") from exc
    if not isinstance(members, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    pairs = [pair for name, value in members.items() for pair in _pairs(name, value)]
    if not all(_is_text(name) and _is_text(value) for name, value in pairs):
        raise InvalidRequestError("The body holds half a surrogate pair, which is no text.")
    return pairs


def check_url(name: str, url: str) -> None:
    """Refuse what can be seen to be no link.

    Raises:
        InvalidOptionsError: It is none, or one with a user name.
    """
    try:
        parts = urlsplit(url)
        is_link = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        is_link = False
    if not is_link or len(url) > MAX_URL_CHARACTERS:
        raise InvalidOptionsError(
            f"{name}: must be an http or https URL without user name, of at most "
            f"{MAX_URL_CHARACTERS} characters."
        )


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool):
            yield name, str(item).lower()
        elif isinstance(item, str | int | float):
            yield name, str(item)
        elif item is not None:
            raise InvalidOptionsError(
                f"{quoted(name)}: must be text, a number, true, false or a list of texts."
            )


def _without_repetition(members: list[tuple[str, object]]) -> dict[str, object]:
    kept = dict(members)
    if len(kept) < len(members):
        counts = Counter(name for name, _ in members)
        twice = counts.most_common(1)[0][0]
        raise InvalidOptionsError(f"{twice[:100]!r}: given twice.")
    return kept


def _read_form(body: bytes) -> Pairs:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=64)
    except ValueError as exc:
        raise InvalidRequestError("The form cannot be read.") from exc


JSON = "application/json"
#: Media type → what reads the fields of such a body.
FIELD_READERS = {JSON: _read_json, "application/x-www-form-urlencoded": _read_form}

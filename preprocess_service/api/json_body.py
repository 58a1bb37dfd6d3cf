"""Options and links in a JSON object."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from fastapi import Request

from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidOptionsError,
    InvalidRequestError,
)

Pairs = list[tuple[str, str]]

MAX_URL_CHARACTERS = 2048
#: Of a body without a file.
_MAX_BODY_BYTES = 1 << 20


async def read_body(request: Request) -> bytes:
    """The body of a request without a file.

    Raises:
        DocumentTooLargeError: It is larger than such a body can be; the rest is not read.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raise DocumentTooLargeError(f"The body is larger than {_MAX_BODY_BYTES >> 20} MB.")
    return bytes(body)


def read_json(body: bytes) -> Pairs:
    """The members of a JSON object, as a form would bring them; null counts as not given.

    Raises:
        InvalidRequestError: It is none.
        InvalidOptionsError: A member is an object or a list of such.
    """
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise InvalidRequestError("The body is not JSON.") from exc
    if not isinstance(members, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return [pair for name, value in members.items() for pair in _pairs(name, value)]


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


def _pairs(name: str, value: object) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool):
            yield name, str(item).lower()
        elif isinstance(item, str | int | float):
            yield name, str(item)
        elif item is not None:
            raise InvalidOptionsError(
                f"{name}: must be text, a number, true, false or a list of texts."
            )

"""What `/jobs/submit` takes: a form with a file or a link, or JSON with a link."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from fastapi import Request

from preprocess_service.api.receiving.fields import (
    FIELD_READERS,
    Pairs,
    check_url,
    media_type_of,
    receive_fields,
)
from preprocess_service.api.receiving.forms import Form, receive_form
from preprocess_service.api.requests import caller_of
from preprocess_service.disk import digest_file
from preprocess_service.errors import (
    InvalidOptionsError,
    InvalidRequestError,
    UnsupportedMediaTypeError,
)
from preprocess_service.inference.engine import CallContext
from preprocess_service.jobs.record import Submission, new_job_id
from preprocess_service.options import parse_options
from preprocess_service.pages.media_types import HEAD_BYTES, sniff_media_type
from preprocess_service.settings import Settings

IDEMPOTENCY_HEADER = "Idempotency-Key"
_MAX_KEY_CHARACTERS = 255


@asynccontextmanager
async def receive_submission(
    request: Request, settings: Settings, context: CallContext
) -> AsyncIterator[tuple[Submission, BinaryIO | None]]:
    """The submission and its file, gone after the block; no file where one is to be fetched.

    Raises:
        UnsupportedMediaTypeError: The body is no form and no JSON, or the file no document.
        InvalidRequestError: The body is broken, or has not one of `file` and `url`.
        InvalidOptionsError: An option cannot be honoured.
        DocumentTooLargeError: The file is larger than allowed.
    """
    media_type = media_type_of(request)
    if media_type == "multipart/form-data":
        async with receive_form(request, settings) as form:
            yield await _submission(request, settings, context, form), form.file
    elif media_type in FIELD_READERS:
        form = Form((), await receive_fields(request))
        yield await _submission(request, settings, context, form), None
    else:
        raise UnsupportedMediaTypeError(
            "Send a form (multipart/form-data) with `file` or `url`, or JSON with `url`."
        )


async def _submission(
    request: Request, settings: Settings, context: CallContext, form: Form
) -> Submission:
    fields, urls = _take_urls([*request.query_params.multi_items(), *form.fields])
    source_url, callback_url = urls.get("url"), urls.get("callback_url")
    if (form.file is None) == (source_url is None):
        raise InvalidRequestError("Send one of `file` (multipart/form-data) and `url`.")
    if callback_url and settings.webhook_secret is None:
        raise InvalidOptionsError(
            "callback_url: this server signs no messages (WEBHOOK_SECRET), so it sends none."
        )
    options = parse_options(fields)
    if form.file:
        form.file.seek(0)
        sniff_media_type(form.file.read(HEAD_BYTES))
    content = await asyncio.to_thread(digest_file, form.file) if form.file else None
    return Submission(
        job_id=new_job_id(),
        created_at=time.time(),
        deadline_at=time.time() + settings.job_timeout,
        options=options,
        request_id=context.request_id,
        traceparent=context.traceparent,
        caller=context.caller,
        source_url=source_url,
        callback_url=callback_url,
        fingerprint=_digest([content, options.model_dump(mode="json"), source_url, callback_url]),
        idempotency_key=_idempotency_key(request),
    )


def _take_urls(pairs: Pairs) -> tuple[Pairs, dict[str, str]]:
    """The options, and apart from them the two links, checked for what can be seen of them."""
    urls: dict[str, str] = {}
    for name, value in pairs:
        if name in ("url", "callback_url") and value.strip():
            if urls.setdefault(name, value.strip()) != value.strip():
                raise InvalidOptionsError(f"{name}: given twice with different values.")
            check_url(name, value.strip())
    return [pair for pair in pairs if pair[0] not in ("url", "callback_url")], urls


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get(IDEMPOTENCY_HEADER)
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY_CHARACTERS:
        raise InvalidRequestError(
            f"{IDEMPOTENCY_HEADER} must have 1 to {_MAX_KEY_CHARACTERS} characters."
        )
    return _digest([caller_of(request), key])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

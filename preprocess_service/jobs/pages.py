"""Pages as they are kept until the whole document is read: JSON, compressed."""

import json
import zlib
from dataclasses import fields

from preprocess_service.document import Page
from preprocess_service.errors import error_from_code
from preprocess_service.jobs.record import PageEvent
from preprocess_service.pipeline import PageResult


def pack_page(result: PageResult) -> bytes:
    """The page and what it cost; its error is in the page's problem already."""
    values = {
        field.name: getattr(result, field.name)
        for field in fields(result)
        if field.name not in ("page", "error")
    }
    body = {**values, "page": result.page.model_dump(mode="json")}
    return zlib.compress(json.dumps(body, ensure_ascii=False).encode(), 1)


def unpack_page(packed: bytes) -> PageResult:
    """The result that was packed, its error included."""
    values = json.loads(zlib.decompress(packed))
    page = Page.model_validate(values.pop("page"))
    error = error_from_code(page.problem.code, page.problem.detail) if page.problem else None
    values.pop("release", None)  # as earlier versions of this service packed it
    return PageResult(page=page, error=error, **values)


def page_event(page: Page) -> PageEvent:
    """What those who follow a job are told of a finished page."""
    return PageEvent(
        page=page.number,
        source=page.source,
        lines=len(page.lines),
        confidence=page.confidence,
        problem=page.problem.code if page.problem else None,
    )

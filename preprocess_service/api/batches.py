"""Several documents of one request: each gives its document or its problem."""

import asyncio
import time
from typing import Any

from pydantic import BaseModel, Field

from preprocess_service import metrics
from preprocess_service.api.context import Asked
from preprocess_service.api.guard import within_deadline
from preprocess_service.api.upload import Batch, NamedFile
from preprocess_service.document import Document
from preprocess_service.errors import (
    DocumentTooLargeError,
    InvalidOptionsError,
    Problem,
    ServiceError,
)
from preprocess_service.formatting import FORMATS
from preprocess_service.options import OcrOptions

#: Documents of one request that are read side by side; pages share one budget anyway.
_SIDE_BY_SIDE = 4


class BatchItem(BaseModel):
    """What became of one file: exactly one of `document`, `content` and `problem` is not null."""

    index: int = Field(description="Position among the files, from 0.", examples=[0])
    file_name: str = Field(examples=["scan.pdf"])
    document: Document | None = Field(default=None, description="With `output_format` json.")
    content: Any = Field(
        default=None, description="The body in any other format: text, or of structured an object."
    )
    problem: Problem | None = None


class BatchAnswer(BaseModel):
    """One item per file, in the order of the files."""

    documents: tuple[BatchItem, ...]


def check_batch_options(options: OcrOptions) -> None:
    """Refuse what a list cannot hold.

    Raises:
        InvalidOptionsError: The format is a file of its own.
    """
    if options.output_format == "pdf":
        raise InvalidOptionsError(
            "output_format: a list holds no PDF; send each file to /ocr/process or /jobs/submit."
        )


async def read_batch(asked: Asked, batch: Batch, options: OcrOptions) -> BatchAnswer:
    """An item for every file, within `REQUEST_TIMEOUT` from now; what is left then is a problem."""
    deadline = time.monotonic() + asked.services.settings.request_timeout
    turns = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def item(index: int, file: NamedFile) -> BatchItem:
        async with turns:
            work = _read(asked, file, options)
            try:
                found = await within_deadline(work, deadline - time.monotonic())
            except ServiceError as exc:
                metrics.REJECTIONS.labels(exc.code).inc()
                found = {"problem": exc.problem(asked.context.request_id)}
        return BatchItem(index=index, file_name=file.name, **found)

    tasks = [asyncio.create_task(item(index, file)) for index, file in enumerate(batch.files)]
    try:
        return BatchAnswer(documents=tuple(await asyncio.gather(*tasks)))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(asked: Asked, file: NamedFile, options: OcrOptions) -> dict[str, Any]:
    services = asked.services
    if file.size > services.settings.max_file_size_mb << 20:
        raise DocumentTooLargeError(
            f"The file is larger than {services.settings.max_file_size_mb} MB (MAX_FILE_SIZE_MB)."
        )
    document = await services.reader.read(file.file, options, asked.context, asked.policy)
    if options.output_format == "json":
        return {"document": document}
    original = services.pipeline.original(file.file, options)
    body = await FORMATS[options.output_format].write(document, original)
    text = body.decode() if isinstance(body, bytes) else body
    return {"content": text}

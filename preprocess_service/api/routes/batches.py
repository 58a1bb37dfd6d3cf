"""Several documents of one request: each gives its document or its problem."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from preprocess_service import metrics
from preprocess_service.api.limits.deadlines import within_deadline
from preprocess_service.api.receiving.forms import FormFile
from preprocess_service.api.routes.context import OcrCall
from preprocess_service.document import Document
from preprocess_service.errors import DocumentTooLargeError, InvalidOptionsError
from preprocess_service.formatting import FORMATS
from preprocess_service.options import OcrOptions
from preprocess_service.problem import Problem, ServiceError

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


async def read_batch(
    call: OcrCall, files: Sequence[FormFile], options: OcrOptions, deadline: float
) -> BatchAnswer:
    """An item for every file; what is not read at the deadline (`time.monotonic`) is a problem."""
    turns = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def item(index: int, file: FormFile) -> BatchItem:
        async with turns:
            work = _read(call, file, options)
            try:
                found = await within_deadline(work, deadline - time.monotonic())
            except ServiceError as exc:
                metrics.REJECTIONS.labels(exc.code).inc()
                found = {"problem": exc.problem(call.context.request_id)}
        return BatchItem(index=index, file_name=file.name, **found)

    tasks = [asyncio.create_task(item(index, file)) for index, file in enumerate(files)]
    try:
        return BatchAnswer(documents=tuple(await asyncio.gather(*tasks)))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(call: OcrCall, file: FormFile, options: OcrOptions) -> dict[str, Any]:
    services = call.services
    if file.size > services.settings.max_file_size_mb << 20:
        raise DocumentTooLargeError(
            f"The file is larger than {services.settings.max_file_size_mb} MB (MAX_FILE_SIZE_MB)."
        )
    upload = await services.pipeline.identifier.identify(file.file, options, call.context)
    document = await services.reader.read(upload, call.policy)
    if options.output_format == "json":
        return {"document": document}
    add_text = partial(services.pipeline.add_text, upload.raster, file.file)
    body = await FORMATS[options.output_format].write(document, add_text)
    text = body.decode() if isinstance(body, bytes) else body
    return {"content": text}

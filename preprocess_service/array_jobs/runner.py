"""Documents one after the other, a few at once, each with its result or its problem."""

import asyncio
import logging
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from preprocess_service.array_jobs.errors import ArrayJobStoppedError, stopped_without
from preprocess_service.array_jobs.files import Folder, SourceFile
from preprocess_service.array_jobs.ledger import Ledger, printable
from preprocess_service.document import Document
from preprocess_service.errors import EngineUnavailableError, InternalError, InvalidDocumentError
from preprocess_service.formatting import FORMATS
from preprocess_service.inference.engine import CallContext
from preprocess_service.options import OcrOptions
from preprocess_service.problem import ServiceError
from preprocess_service.reading.identify import Upload
from preprocess_service.reading.pipeline import OcrPipeline

_log = logging.getLogger(__name__)

#: A document that fails although Triton came back so often may be what sends it away.
RETURNS = 5


@dataclass
class Summary:
    """How many documents ended how; `failures` names those that a later run reads again."""

    documents: int
    read: int = 0
    skipped: int = 0
    partial: int = 0
    failed: int = 0
    pages: int = 0
    seconds: float = 0.0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """What a document may weigh, and how long Triton may be away."""

    max_file_bytes: int
    patience_seconds: float


class ArrayJob:
    """Reads files of `source` with `pipeline` into `ledger`."""

    def __init__(
        self,
        source: Folder,
        ledger: Ledger,
        options: OcrOptions,
        pipeline: OcrPipeline,
        limits: Limits,
    ) -> None:
        self._source = source
        self._ledger = ledger
        self._options = options
        self._pipeline = pipeline
        self._limits = limits

    async def run(
        self, files: Sequence[SourceFile], parallel: int, on_end: Callable[[], None]
    ) -> Summary:
        """Read all files that are not done, at most `parallel` at once.

        Raises:
            ArrayJobStoppedError: Triton stayed away, or the output cannot be written.
        """
        started = time.monotonic()
        summary = Summary(documents=len(files))
        left = iter(files)
        workers = [asyncio.create_task(self._work(left, summary, on_end)) for _ in range(parallel)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        summary.seconds = round(time.monotonic() - started, 1)
        return summary

    async def _work(
        self, left: Iterator[SourceFile], summary: Summary, on_end: Callable[[], None]
    ) -> None:
        for file in left:
            with stopped_without("output"):
                if await asyncio.to_thread(self._ledger.is_done, file):
                    summary.skipped += 1
                else:
                    await self._convert(file, summary)
            on_end()

    async def _convert(self, file: SourceFile, summary: Summary) -> None:
        request_id = uuid.uuid4().hex
        try:
            document, sha256, result = await self._read_file(file, CallContext(request_id))
        except ServiceError as exc:
            summary.failed += 1
            summary.failures.append(printable(file.name))
            _log.warning("document failed", extra={"document": file.name, "code": exc.code})
            problem = exc.problem(request_id)
            await asyncio.to_thread(self._ledger.keep_problem, file, problem)
            return
        await asyncio.to_thread(self._ledger.keep, file, sha256, document, result)
        summary.read += 1
        summary.pages += len(document.pages)
        if document.status == "partial":
            summary.partial += 1
            summary.failures.append(printable(file.name))
        extra = {"document": file.name, "status": document.status, "pages": len(document.pages)}
        _log.info("document read", extra=extra)

    async def _read_file(
        self, file: SourceFile, context: CallContext
    ) -> tuple[Document, str, bytes]:
        with tempfile.TemporaryFile() as copy:
            sha256 = await asyncio.to_thread(self._fetch, file, copy)
            try:
                upload, document = await self._read_patiently(copy, context)
                written = FORMATS[self._options.output_format]
                add_text = partial(self._pipeline.add_text, upload.raster, copy)
                return document, sha256, await written.write(document, add_text)
            except (ServiceError, ArrayJobStoppedError):
                raise
            except Exception as exc:
                # Whatever it is, the documents behind this one are read.
                _log.exception("unforeseen failure", extra={"document": file.name})
                raise InternalError("The document failed; the cause is in the log.") from exc

    def _fetch(self, file: SourceFile, copy: BinaryIO) -> str:
        try:
            return self._source.fetch(file.name, copy, self._limits.max_file_bytes)
        except OSError as exc:
            raise InvalidDocumentError(f"The file cannot be fetched: {exc}.") from exc

    async def _read_patiently(
        self, copy: BinaryIO, context: CallContext
    ) -> tuple[Upload, Document]:
        """The document, as often tried as Triton comes back.

        Raises:
            EngineUnavailableError: Triton comes back, and only this document finds it away.
            ArrayJobStoppedError: Triton stayed away.
        """
        give_up, returns = time.monotonic() + self._limits.patience_seconds, 0
        while True:
            outcome = await self._try_read(copy, context)
            if not isinstance(outcome, EngineUnavailableError):
                return outcome
            pause = outcome.retry_after_seconds or 1
            is_late = time.monotonic() + pause > give_up
            if returns == RETURNS or (is_late and await self._pipeline.is_ready()):
                raise outcome
            if is_late:
                raise ArrayJobStoppedError(f"Triton stayed away: {outcome.detail}") from outcome
            _log.warning("engine is away", extra={"cause": outcome.detail, "again_in_s": pause})
            await asyncio.sleep(pause)
            returns += await self._pipeline.is_ready()

    async def _try_read(
        self, copy: BinaryIO, context: CallContext
    ) -> tuple[Upload, Document] | EngineUnavailableError:
        try:
            upload = await self._pipeline.identifier.identify(copy, self._options, context)
            return upload, await self._pipeline.read(upload)
        except EngineUnavailableError as exc:
            return exc

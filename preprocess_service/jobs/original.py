"""The document of a job, for formats that keep its pages."""

from dataclasses import dataclass

from preprocess_service.document import Document
from preprocess_service.errors import JobAbandonedError
from preprocess_service.jobs.record import Job
from preprocess_service.pipeline import OcrPipeline
from preprocess_service.storage.uploads import UploadStore


@dataclass(frozen=True)
class JobOriginal:
    """Opens the upload only when a format asks for it."""

    job: Job
    uploads: UploadStore
    pipeline: OcrPipeline

    async def with_text(self, document: Document) -> bytes:
        """A PDF of the pages that were read, as they were, with their text behind them.

        Raises:
            JobAbandonedError: The upload is gone.
            ServiceError: The store does not answer, or writing it takes more than it may.
        """
        if self.job.upload is None:
            raise JobAbandonedError("The upload is no longer there.")
        async with self.uploads.open(self.job.upload) as file:
            original = self.pipeline.original(file, self.job.submission.options)
            return await original.with_text(document)

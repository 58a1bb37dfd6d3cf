"""The answer with the document of a job."""

from collections.abc import AsyncIterator

from fastapi import Depends, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from preprocess_service.api.limits.deadlines import while_connected, within_deadline
from preprocess_service.api.receiving.options import accepted, negotiate_format
from preprocess_service.api.requests import caller_of
from preprocess_service.api.routes.answers import document_headers, document_response
from preprocess_service.api.routes.context import Services, ServicesDep
from preprocess_service.document import Document
from preprocess_service.errors import JobCanceledError, error_from_code
from preprocess_service.formatting import FORMATS
from preprocess_service.jobs.record import Job
from preprocess_service.jobs.service import JobService
from preprocess_service.jobs.view import view_job
from preprocess_service.options import parse_options

_LOOK_AGAIN_SECONDS = "2"


async def _hold_slot(request: Request, services: ServicesDep) -> AsyncIterator[None]:
    with services.results.hold(caller_of(request)):
        yield


#: Of a route that answers with a result: its slot is held until the answer has been taken.
RESULT_SLOT = Depends(_hold_slot)


async def answer_result(
    request: Request, services: Services, jobs: JobService, job: Job, given: str | None
) -> Response:
    """The document in the format that was asked for; while there is none, 202 and the status.

    Raises:
        ServiceError: There will be none, or it cannot be written as asked, or not in time.
    """
    if job.status == "canceled":
        raise JobCanceledError("The job was canceled.")
    if job.problem is not None:
        raise error_from_code(job.problem.code, job.problem.detail)
    if not job.is_finished:
        body = view_job(job).model_dump(mode="json")
        return JSONResponse(body, 202, {"Retry-After": _LOOK_AGAIN_SECONDS})
    chosen = _choose_format(request, given, job)
    if chosen == "json":
        return await _stream(jobs, job)
    work = _write(services, jobs, job, chosen)
    return await within_deadline(while_connected(request, work), services.settings.request_timeout)


async def _stream(jobs: JobService, job: Job) -> Response:
    document = await jobs.document_json(job)
    return StreamingResponse(
        document.pieces,
        headers=document_headers(document.head.status, is_hit=document.head.cache_hit),
        media_type=FORMATS["json"].media_type,
    )


async def _write(services: Services, jobs: JobService, job: Job, chosen: str) -> Response:
    pipeline = services.pipeline

    async def add_text(document: Document) -> bytes:
        async with jobs.open_upload(job) as (file, options):
            request = pipeline.identifier.raster_request(file, options, job.submission.caller)
            return await pipeline.add_text(request, file, document)

    # A whole document takes many times its bytes while it is written.
    async with services.writing:
        return await document_response(await jobs.document(job), chosen, add_text)


def _choose_format(request: Request, given: str | None, job: Job) -> str:
    if given is not None:
        return parse_options([("output_format", given)]).output_format
    return negotiate_format(accepted(request), job.submission.options.output_format)

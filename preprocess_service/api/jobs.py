"""Documents that are read after the answer."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse, Response

from preprocess_service.api import job_docs as docs
from preprocess_service.api.accept import negotiate_format
from preprocess_service.api.context import CallContextDep, Services, ServicesDep
from preprocess_service.api.error_handlers import problem_responses
from preprocess_service.api.guard import within_deadline
from preprocess_service.api.reading import document_response
from preprocess_service.api.submission import receive_order
from preprocess_service.errors import (
    JobCanceledError,
    JobNotFoundError,
    JobsUnavailableError,
    error_from_code,
)
from preprocess_service.inference.engine import CallContext
from preprocess_service.jobs.original import JobOriginal
from preprocess_service.jobs.record import Job, JobStatus
from preprocess_service.jobs.service import JobService
from preprocess_service.jobs.view import JobView, view_job
from preprocess_service.options import OutputFormat, parse_options

router = APIRouter(tags=["jobs"])

_JOB_ID = re.compile(r"[0-9a-f]{32}")
#: What a browser sends back after the last event; there is nothing to go on with.
_END = "end"
_LOOK_AGAIN_SECONDS = "2"


class SubmittedJob(BaseModel):
    """An accepted job, and where to ask for it."""

    job_id: str = Field(examples=["0193b1c2d3e4a1b2c3d4e5f60718293a"])
    status: JobStatus
    status_url: str
    result_url: str


class JobList(BaseModel):
    """Jobs, the newest first."""

    jobs: tuple[JobView, ...]
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end.")


async def _jobs(services: ServicesDep) -> AsyncIterator[JobService]:
    if services.jobs is None:
        raise JobsUnavailableError("Jobs need a Redis or Valkey server (REDIS_URL).")
    try:
        yield services.jobs
    except RedisError as exc:
        raise JobsUnavailableError("The store of jobs does not answer (REDIS_URL).") from exc


def _job_id(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFoundError("There is no such job.")
    return job_id


JobsDep = Annotated[JobService, Depends(_jobs)]
JobIdDep = Annotated[str, Depends(_job_id)]


@router.post(
    "/jobs/submit",
    summary="Have a document read later",
    status_code=202,
    response_model=SubmittedJob,
    responses=docs.SUBMIT_RESPONSES,
    openapi_extra=docs.SUBMIT_BODY,
)
async def submit(
    request: Request, services: ServicesDep, context: CallContextDep, jobs: JobsDep
) -> Response:
    """Accepts an upload or a link; what is accepted is not lost.

    The same `Idempotency-Key` with the same document and options finds the first job (200), with
    others it is refused (422).
    """
    work = _submit(request, services, context, jobs)
    job, is_new = await within_deadline(work, services.settings.request_timeout)
    status_url = request.url_for("job_status", job_id=job.job_id).path
    body = SubmittedJob(
        job_id=job.job_id,
        status=job.status,
        status_url=status_url,
        result_url=request.url_for("job_result", job_id=job.job_id).path,
    )
    headers = {"Location": status_url} | ({} if is_new else {"Idempotent-Replayed": "true"})
    return JSONResponse(body.model_dump(), 202 if is_new else 200, headers)


async def _submit(
    request: Request, services: Services, context: CallContext, jobs: JobService
) -> tuple[Job, bool]:
    async with receive_order(request, services, context) as order:
        return await jobs.submit(order.submission, order.file)


@router.get("/jobs", summary="List jobs", responses=problem_responses(docs.STORE_ERRORS))
async def list_jobs(
    jobs: JobsDep,
    status: JobStatus | None = None,
    dead_letter: Annotated[
        bool, Query(description="Only jobs given up for no fault of the caller.")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=f"^{_JOB_ID.pattern}$")] = None,
) -> JobList:
    """The newest first; `next_cursor` leads to the older ones."""
    found = await jobs.store.newest(status, cursor, limit, dead_letters=dead_letter)
    views = tuple(map(view_job, found))
    return JobList(jobs=views, next_cursor=views[-1].job_id if len(views) == limit else None)


@router.get(
    "/jobs/{job_id}/status",
    summary="Where does a job stand?",
    responses=problem_responses(docs.JOB_ERRORS),
)
async def job_status(
    job_id: JobIdDep,
    jobs: JobsDep,
    wait: Annotated[
        float, Query(ge=0, le=60, description="Seconds to wait for the end of the job.")
    ] = 0,
) -> JobView:
    """With `wait`, answers as soon as the job is finished, or after that time."""
    return view_job(await jobs.wait(job_id, wait))


@router.get(
    "/jobs/{job_id}/result",
    summary="The document of a job",
    response_class=Response,
    responses=docs.RESULT_RESPONSES,
)
async def job_result(
    request: Request,
    job_id: JobIdDep,
    services: ServicesDep,
    jobs: JobsDep,
    output_format: Annotated[
        OutputFormat | None, Query(description="Default: by `Accept`, else as submitted.")
    ] = None,
) -> Response:
    """The document; while the job is not finished, 202 and where it stands."""
    job = await jobs.find(job_id)
    if job.status == "canceled":
        raise JobCanceledError("The job was canceled.")
    if job.problem is not None:
        raise error_from_code(job.problem.code, job.problem.detail)
    if not job.is_finished:
        body = view_job(job).model_dump(mode="json")
        return JSONResponse(body, 202, {"Retry-After": _LOOK_AGAIN_SECONDS})
    chosen = _choose_format(request, output_format, job)
    original = JobOriginal(job, jobs.uploads, services.pipeline)
    work = document_response(await jobs.document(job), chosen, original)
    return await within_deadline(work, services.settings.request_timeout)


def _choose_format(request: Request, given: str | None, job: Job) -> str:
    if given is not None:
        return parse_options([("output_format", given)]).output_format
    accept = request.headers.get("accept", "*/*")
    return job.submission.options.output_format if "*/*" in accept else negotiate_format(accept)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    response_class=EventSourceResponse,
    responses=docs.EVENTS_RESPONSES,
)
async def job_events(
    job_id: JobIdDep,
    jobs: JobsDep,
    last_event_id: Annotated[
        str | None, Header(description="Id of the last event that arrived.")
    ] = None,
) -> Response:
    """Server-sent events: `page` for each finished page, then `end` with the job's status."""
    await jobs.find(job_id)
    if last_event_id == _END:
        return Response(status_code=204)  # tells a browser to stay away
    after = int(last_event_id) if last_event_id and last_event_id.isdecimal() else 0
    return EventSourceResponse(_events(jobs, job_id, after))


async def _events(jobs: JobService, job_id: str, after: int) -> AsyncIterator[ServerSentEvent]:
    async for found in jobs.follow(job_id, after):
        if isinstance(found, Job):
            yield ServerSentEvent(view_job(found).model_dump_json(), event="end", id=_END)
        else:
            position, event = found
            yield ServerSentEvent(event.model_dump_json(), event="page", id=str(position))


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job",
    status_code=204,
    response_class=Response,
    responses=docs.CANCEL_RESPONSES,
)
async def cancel(job_id: JobIdDep, jobs: JobsDep) -> Response:
    """202: it was being read, which stops within a page. 204: nothing is left to stop."""
    was = await jobs.cancel(job_id)
    return Response(status_code=202 if was == "running" else 204)

"""Documents that are read after the answer."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field
from redis.exceptions import OutOfMemoryError, RedisError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import JSONResponse, Response

from ocr_base.formats import OutputFormat
from preprocess_service.api.limits.deadlines import while_connected, within_deadline
from preprocess_service.api.openapi import jobs as docs
from preprocess_service.api.openapi.document import problem_responses
from preprocess_service.api.receiving.options import NO_OTHER_PARAMETERS
from preprocess_service.api.receiving.submission import receive_submission
from preprocess_service.api.requests import caller_of
from preprocess_service.api.routes.context import CallContextDep, Services, ServicesDep
from preprocess_service.api.routes.job_results import RESULT_SLOT, answer_result
from preprocess_service.errors import (
    JobNotFoundError,
    JobsUnavailableError,
    QueueFullError,
    StorageFullError,
)
from preprocess_service.inference.engine import CallContext
from preprocess_service.jobs.record import Job, JobStatus
from preprocess_service.jobs.service import JobService
from preprocess_service.jobs.view import JobView, view_job

router = APIRouter(tags=["jobs"])

_JOB_ID = re.compile(r"[0-9a-f]{32}")
#: What a browser sends back after the last event; there is nothing to go on with.
_END = "end"


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
    except OutOfMemoryError as exc:
        raise StorageFullError("The store of jobs has no memory left (REDIS_URL).") from exc
    except RedisError as exc:
        raise JobsUnavailableError("The store of jobs does not answer (REDIS_URL).") from exc


JobsDep = Annotated[JobService, Depends(_jobs)]


async def _job_id(job_id: str, request: Request, services: ServicesDep, jobs: JobsDep) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFoundError("There is no such job.")
    # An address is nobody's for long: without keys, knowing the name is what opens a job.
    if services.settings.api_keys and (caller := _seen_by(request)) is not None:
        await jobs.require_own(job_id, caller)
    return job_id


async def _hold_wait(request: Request, services: ServicesDep) -> AsyncIterator[None]:
    with services.waits.hold(caller_of(request)):
        yield


#: Of a route whose answer goes on as long as the caller listens.
WAIT_SLOT = Depends(_hold_wait)


def _seen_by(request: Request) -> str | None:
    """Whose jobs the caller sees; None: everybody's."""
    return None if getattr(request.state, "is_operator", False) else caller_of(request)


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
    async with receive_submission(request, services.settings, context) as (submission, file):
        return await jobs.submit(submission, file)


@router.get(
    "/jobs",
    summary="List jobs",
    dependencies=[NO_OTHER_PARAMETERS],
    responses=problem_responses(docs.STORE_ERRORS),
)
async def list_jobs(
    request: Request,
    jobs: JobsDep,
    status: JobStatus | None = None,
    dead_letter: Annotated[
        bool,
        Query(description="Only jobs given up for no fault of the caller; they are `failed`."),
    ] = False,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=f"^{_JOB_ID.pattern}$")] = None,
) -> JobList:
    """The caller's own, the newest first; `next_cursor` leads to the older ones."""
    found, last = await jobs.store.newest(
        status, cursor, limit, dead_letters=dead_letter, caller=_seen_by(request)
    )
    return JobList(jobs=tuple(map(view_job, found)), next_cursor=last)


@router.get(
    "/jobs/{job_id}/status",
    summary="Where does a job stand?",
    dependencies=[NO_OTHER_PARAMETERS],
    responses=problem_responses((*docs.JOB_ERRORS, QueueFullError)),
)
async def job_status(
    request: Request,
    job_id: JobIdDep,
    services: ServicesDep,
    jobs: JobsDep,
    wait: Annotated[
        float, Query(ge=0, le=60, description="Seconds to wait for the end of the job.")
    ] = 0,
) -> JobView:
    """With `wait`, answers as soon as the job is finished, or after that time."""
    if not wait:
        return view_job(await jobs.find(job_id))
    with services.waits.hold(caller_of(request)):
        return view_job(await while_connected(request, jobs.wait(job_id, wait)))


@router.get(
    "/jobs/{job_id}/result",
    summary="The document of a job",
    dependencies=[NO_OTHER_PARAMETERS, RESULT_SLOT],
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
    return await answer_result(request, services, jobs, job, output_format)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job",
    dependencies=[NO_OTHER_PARAMETERS, WAIT_SLOT],
    response_class=EventSourceResponse,
    responses=docs.EVENTS_RESPONSES,
)
async def job_events(
    job_id: JobIdDep,
    jobs: JobsDep,
    last_event_id: Annotated[
        str | None,
        Header(
            pattern=f"^([0-9]{{0,9}}|{_END})$", description="Id of the last event that arrived."
        ),
    ] = None,
) -> Response:
    """Server-sent events: `page` for each finished page, then `end` with the job's status."""
    await jobs.find(job_id)
    if last_event_id == _END:
        return Response(status_code=204)  # tells a browser to stay away
    after = int(last_event_id or 0)
    return EventSourceResponse(_events(jobs, job_id, after))


async def _events(jobs: JobService, job_id: str, after: int) -> AsyncIterator[ServerSentEvent]:
    # Who follows comes again after a stream without its end, and is then told why there is none.
    with suppress(RedisError, JobNotFoundError):
        async for found in jobs.follow(job_id, after):
            if isinstance(found, Job):
                yield ServerSentEvent(view_job(found).model_dump_json(), event="end", id=_END)
            else:
                position, event = found
                yield ServerSentEvent(event.model_dump_json(), event="page", id=str(position))


@router.delete(
    "/jobs/{job_id}",
    summary="Cancel a job",
    dependencies=[NO_OTHER_PARAMETERS],
    status_code=204,
    response_class=Response,
    responses=docs.CANCEL_RESPONSES,
)
async def cancel(job_id: JobIdDep, jobs: JobsDep) -> Response:
    """202: it was being read, which stops within a page. 204: nothing is left to stop."""
    was = await jobs.cancel(job_id)
    return Response(status_code=202 if was == "running" else 204)

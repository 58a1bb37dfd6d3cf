"""Taking jobs, and messages to callers, off their queues until told to stop."""

import asyncio
import logging
import signal
from datetime import timedelta

from docket import Docket, Worker

from preprocess_service.cancellation import cancel_until_done
from preprocess_service.jobs.queue import Work, work_var

_RECONNECT_AFTER = timedelta(seconds=1)

_log = logging.getLogger(__name__)


async def run_queues(work: Work, concurrency: tuple[int, int], lease_seconds: float) -> None:
    """Read jobs and tell callers until SIGTERM or SIGINT.

    Args:
        work: What the tasks are run with.
        concurrency: Jobs, and messages, at once.
        lease_seconds: After which what this worker left half done goes to another.
    """
    # Docket logs every retry as an error with its trace; what happens to jobs is logged here.
    logging.getLogger("docket.dependencies").setLevel(logging.CRITICAL)
    # Docket's tasks are made in this context.
    work_var.set(work)
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    dockets = (work.queues.jobs, work.queues.messages)
    serving = [
        asyncio.create_task(_serve(docket, most, lease_seconds, stopped, work))
        for docket, most in zip(dockets, concurrency, strict=True)
    ]
    try:
        await asyncio.gather(*serving)
    finally:
        for task in serving:
            await cancel_until_done(task)


async def _serve(
    docket: Docket, concurrency: int, lease_seconds: float, stopped: asyncio.Event, work: Work
) -> None:
    """Take tasks of one queue until told to stop; the end of one queue is that of the others."""
    worker = Worker(
        docket,
        concurrency=concurrency,
        redelivery_timeout=timedelta(seconds=lease_seconds),
        reconnection_delay=_RECONNECT_AFTER,
    )
    async with worker:
        running = asyncio.create_task(worker.run_forever())
        stopping = asyncio.create_task(stopped.wait())
        _log.info("worker ready", extra={"worker": worker.name, "queue": docket.name})
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.set()
            work.runner.stop()
            stopping.cancel()
    await running

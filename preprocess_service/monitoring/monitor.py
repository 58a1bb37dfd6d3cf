"""What runs beside the requests to see, and to act on, how the service does."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from ocr_base.machine import free_memory_bytes
from ocr_base.version import VERSION
from preprocess_service import metrics
from preprocess_service.cancellation import cancel_until_done
from preprocess_service.inference.engine import OcrEngine
from preprocess_service.monitoring.exposition import make_registry
from preprocess_service.monitoring.gpu import GpuStatus, Nvml
from preprocess_service.monitoring.sampler import GpuSampler, free_gpu_bytes
from preprocess_service.monitoring.stats import Stats, make_stats
from preprocess_service.monitoring.totals import History, Moment, Totals
from preprocess_service.problem import ServiceError
from preprocess_service.reading.budget import PageBudget

_SAMPLE_SECONDS = 2.0
_TOTALS_SECONDS = 10.0
# Starting NVML takes this long on a machine whose driver sleeps between two users.
_FIRST_SAMPLE_SECONDS = 3.0

CountJobs = Callable[[], Awaitable[Mapping[str, float]]]

_log = logging.getLogger(__name__)


class Monitor:
    """Samples GPUs, Triton and the service's own counters, and fits `budget` to the free memory."""

    def __init__(self, engine: OcrEngine, budget: PageBudget, memory_buffer_bytes: int) -> None:
        self._engine = engine
        self._budget = budget
        self._memory_buffer_bytes = memory_buffer_bytes
        self._gpus = GpuSampler(Nvml().sample, _SAMPLE_SECONDS)
        self._batch_sizes = metrics.TritonBatchSizes()
        #: Everything that `/metrics` shows.
        self.registry = make_registry(self._batch_sizes)
        self._history = History(Moment.of(Totals(self.registry)))

    @property
    def gpu_status(self) -> GpuStatus:
        """What was last seen of the GPUs."""
        return self._gpus.status

    def stats(self) -> Stats:
        """The figures of this moment; reads files where there are several processes."""
        return make_stats(Totals(self.registry), self._history)

    @asynccontextmanager
    async def watching(self, count_jobs: CountJobs | None = None) -> AsyncIterator[None]:
        """Watch during the block; `count_jobs` gives the jobs by status."""
        metrics.BUILD_INFO.labels(VERSION).set(1)
        tasks: list[asyncio.Task[None]] = []
        try:
            await asyncio.to_thread(self._gpus.start, _FIRST_SAMPLE_SECONDS)
            tasks = self._begin(count_jobs)
            yield
        finally:
            await cancel_until_done(*tasks)
            self._gpus.stop()

    def _begin(self, count_jobs: CountJobs | None) -> list[asyncio.Task[None]]:
        looks = [
            _again_and_again(self._follow_memory, _SAMPLE_SECONDS),
            _again_and_again(self._follow_totals, _TOTALS_SECONDS),
            _again_and_again(self._follow_triton, _TOTALS_SECONDS),
        ]
        if count_jobs is not None:
            looks.append(_again_and_again(lambda: _follow_jobs(count_jobs), _TOTALS_SECONDS))
        return [asyncio.create_task(look) for look in looks]

    async def _follow_memory(self) -> None:
        of_gpu = free_gpu_bytes(self._gpus.status)
        free_bytes = free_memory_bytes() if of_gpu is None else of_gpu
        metrics.MEMORY_FREE.set(free_bytes)
        before = self._budget.allowed_pages
        self._budget.allow(share_allowed(free_bytes, self._memory_buffer_bytes))
        now = self._budget.allowed_pages
        metrics.PAGES_ALLOWED.set(now)
        if now != before:
            _log.info("page budget changed", extra={"pages": now, "free_bytes": free_bytes})

    async def _follow_totals(self) -> None:
        totals = await asyncio.to_thread(Totals, self.registry)
        self._history.add(Moment.of(totals))

    async def _follow_triton(self) -> None:
        try:
            self._batch_sizes.counts = await self._engine.batch_sizes()
        except ServiceError as exc:
            _log.debug("Triton gave no statistics", extra={"cause": str(exc)})


async def _follow_jobs(count_jobs: CountJobs) -> None:
    for status, count in (await count_jobs()).items():
        metrics.JOBS.labels(status).set(count)


#: In what Python raises where an executor, or the interpreter, is ending.
_NO_MORE_THREADS = "cannot schedule new futures"


async def _again_and_again(look: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Look until canceled, or until the interpreter ends: then nothing can be looked at any more.

    A failure is told once, and again only after something could be seen in between.
    """
    is_failing = False
    while True:
        try:
            await look()
            is_failing = False
        except Exception as exc:  # noqa: BLE001 - whatever cannot be seen, documents are read
            if isinstance(exc, RuntimeError) and _NO_MORE_THREADS in str(exc):
                return
            if not is_failing:
                _log.exception("monitoring failed")
            is_failing = True
        await asyncio.sleep(seconds)


def share_allowed(free_bytes: int, buffer_bytes: int) -> float:
    """The share of the full batch size that may be in flight, 0 to 1.

    All of it while twice the buffer is free, falling evenly to nothing as the free memory falls to
    the buffer, which so stays free.
    """
    if buffer_bytes == 0:
        return 1.0
    return min(max(free_bytes / buffer_bytes - 1, 0.0), 1.0)

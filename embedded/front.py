"""The front service of the local stack and the proof that it reads."""

import hashlib
import os
import secrets
import subprocess
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import httpx

from embedded.errors import EmbeddedError, SelfCheckError
from embedded.guarded_process import Command, GuardedProcess
from embedded.service import POLL_SECONDS, Service, State
from embedded.settings import Settings
from ocr_base.version import API

_PROCESS = f"{API}/ocr/process"
_SELF_CHECK_SECONDS = 60.0
_ANSWER_SECONDS = 1.0
# One word read wrongly is the models' business; more of them is a stack that does not read.
_READ_SHARE = 0.8


class SelfCheckKey:
    """A key of this run alone, where the service asks for keys: callers' may be known as digests.

    Attributes:
        headers: What shows it to the service; empty where the service asks for none.
    """

    def __init__(self, settings: Settings) -> None:
        self._callers = settings.api_keys.get_secret_value() if settings.api_keys else ""
        self._key = secrets.token_urlsafe(32)
        self.headers = {"Authorization": f"Bearer {self._key}"} if self._callers else {}

    @property
    def api_keys(self) -> str:
        """`API_KEYS` of the service: those of its callers, and the digest of this one."""
        if not self._callers:
            return ""
        return f"{self._callers},sha256:{hashlib.sha256(self._key.encode()).hexdigest()}"


def front_service(
    settings: Settings, lock: int, redis_url: str | None, key: SelfCheckKey
) -> Service:
    """Return the front service on the local Triton, not yet started; it writes to the terminal."""
    process = GuardedProcess(front_command(settings, redis_url, key), lock)
    return Service("Front service", process, _Probe(settings), settings.triton_startup_timeout)


def front_command(settings: Settings, redis_url: str | None, key: SelfCheckKey) -> Command:
    """Return the command of the front service, which knows the key of the self-check."""
    command = service_command(settings, redis_url)
    # Set even where it is empty: the service reads what this process has read, and nothing else.
    return replace(command, environment={**command.environment, "API_KEYS": key.api_keys})


def service_command(settings: Settings, redis_url: str | None, *arguments: str) -> Command:
    """Return a command of the service on the local Triton and the given Redis or Valkey."""
    # Our own settings are none of the service's, which refuses what it does not know.
    own = {name.upper() for name in Settings.model_fields}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in own}
    environment |= {
        "HOST": settings.host,
        "PORT": str(settings.port),
        "TRITON_URL": settings.triton_grpc_address,
    }
    if redis_url:
        environment["REDIS_URL"] = redis_url
    return Command(
        arguments=(sys.executable, "-m", "preprocess_service", *arguments),
        environment=environment,
        folder=Path.cwd(),  # where `.env` is
        grace_seconds=settings.triton_stop_timeout,
    )


class _Probe:
    """Asks the front service over HTTP."""

    def __init__(self, settings: Settings) -> None:
        self._url = f"{settings.service_url}/ready"

    def is_ready(self) -> bool:
        return _answers(self._url)

    def find_fault(self) -> str:
        return ""

    def explain(self) -> str:
        return " Its messages stand above."


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=_ANSWER_SECONDS).is_success
    except httpx.HTTPError:
        return False


def start_front(service: Service) -> None:
    """Start the front service and return when it is ready.

    Raises:
        StartError: It died or missed its deadline.
    """
    service.start()
    while service.state is not State.READY:
        service.check_start()
        time.sleep(POLL_SECONDS)


def require_own_triton(settings: Settings, triton_url: str | None) -> None:
    """Make sure that no setting asks for another Triton than the one this stack starts.

    Raises:
        EmbeddedError: `TRITON_URL` names another one.
    """
    own = {settings.triton_grpc_address, f"localhost:{settings.triton_grpc_port}"}
    if triton_url and triton_url not in own:
        raise EmbeddedError(
            f"TRITON_URL={triton_url} names another Triton than the one that this command starts. "
            "Unset it, or run `python -m preprocess_service` alone to use that Triton."
        )


@cache
def sample_page(*flags: str) -> bytes:
    """Return the service's own sample page, a scanned PDF; with `--text` what it says."""
    command = [sys.executable, "-m", "preprocess_service", "sample", *flags]
    return subprocess.run(command, check=True, capture_output=True).stdout  # noqa: S603 - our own module


def read_sample_page(service_url: str, headers: dict[str, str] | None = None) -> float:
    """Have the service read the sample page; return the seconds it took.

    Args:
        service_url: Where the service is reached.
        headers: What shows an API key to it.

    Raises:
        SelfCheckError: The answer is not a document with four in five words of the page.
    """
    started = time.monotonic()
    try:
        answer = httpx.post(
            f"{service_url}{_PROCESS}",
            files={"file": ("sample.pdf", sample_page(), "application/pdf")},
            headers=headers,
            timeout=_SELF_CHECK_SECONDS,
        )
    except httpx.HTTPError as error:
        raise SelfCheckError(
            f"The service did not answer for its sample page: {error!r}."
        ) from error
    if answer.status_code != httpx.codes.OK:
        raise SelfCheckError(
            f"The service answered {answer.status_code} for its sample page: {answer.text}"
        )
    read = " ".join(page["text"] for page in answer.json()["pages"])
    words = sample_page("--text").decode().split()
    missing = [word for word in words if word not in read]
    if len(missing) > (1 - _READ_SHARE) * len(words):
        raise SelfCheckError(f"The service read {read!r} on its sample page and missed {missing}.")
    return time.monotonic() - started

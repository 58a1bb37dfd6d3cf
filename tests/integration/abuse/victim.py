"""What a stranger notices, measured in a process of its own that no attacker's code slows."""

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection, Pipe

import httpx

from tests.drawing import draw_pdf, sentence
from tests.integration.abuse.target import PROCESS, STRANGER

HEALTH_EVERY = 0.05
_PAGE_LINES = 12


@dataclass
class Seen:
    """Seconds that answers took, those of `/health` from when each was due.

    So a service that stands still for a second has twenty bad answers, not one.
    """

    health: list[float] = field(default_factory=list)
    uploads: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def health_95(self) -> float:
        """What 95 of 100 answers of `/health` took at most."""
        return statistics.quantiles(self.health, n=20)[-1]


class Victim:
    """A stranger that asks for `/health` and sends one page after the other."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begin(self) -> None:
        """Go on until `end`."""
        self._pipe.send("begin")

    def end(self, uploads: int = 1) -> Seen:
        """What was seen since `begin`, so many uploads at least."""
        self._pipe.send(uploads)
        return Seen(**self._pipe.recv())


@contextmanager
def stranger(url: str, headers: Mapping[str, str]) -> Iterator[Victim]:
    """A victim of whatever happens to that service meanwhile."""
    ours, theirs = Pipe()
    # One that multiprocessing starts has a process beside it that outlives the tests.
    command = [sys.executable, "-m", __name__, str(theirs.fileno()), url, json.dumps(dict(headers))]
    with ours, subprocess.Popen(command, pass_fds=[theirs.fileno()]):
        theirs.close()
        try:
            yield Victim(ours)
        finally:
            ours.send(None)


def _live(pipe: Connection, url: str, headers: dict[str, str]) -> None:
    transport = httpx.HTTPTransport(local_address=STRANGER)
    with httpx.Client(base_url=url, headers=headers, transport=transport, timeout=90) as client:
        while pipe.recv() is not None:
            pipe.send(asdict(_look(pipe, client)))


def _look(pipe: Connection, client: httpx.Client) -> Seen:
    seen, ended = Seen(), threading.Event()
    asking = threading.Thread(target=_ask_for_health, args=(client.base_url, seen, ended))
    asking.start()
    least = 1
    while len(seen.uploads) + len(seen.failures) < least or not ended.is_set():
        _upload(client, seen)
        if not ended.is_set() and pipe.poll():
            least = pipe.recv()
            ended.set()
    asking.join()
    return seen


def _ask_for_health(url: httpx.URL, seen: Seen, ended: threading.Event) -> None:
    due = time.monotonic()
    while not ended.wait(max(0.0, due - time.monotonic())):
        asked = http.client.HTTPConnection(url.host, url.port, 30, source_address=(STRANGER, 0))
        try:
            asked.request("GET", "/health")
            if (status := asked.getresponse().status) != 200:
                seen.failures.append(f"/health: {status}")
        except OSError as exc:
            seen.failures.append(f"/health: {exc!r}")
        finally:
            asked.close()
        seen.health.append(time.monotonic() - due)
        due += HEALTH_EVERY


def _upload(client: httpx.Client, seen: Seen) -> None:
    number = int(time.monotonic() * 1000)
    page = draw_pdf([[sentence(number + line) for line in range(_PAGE_LINES)]])
    started = time.monotonic()
    try:
        answer = client.post(PROCESS, files={"file": page}, data={"text_layer": "ignore"})
    except httpx.HTTPError as exc:
        seen.failures.append(f"upload: {exc!r}")
        return
    if answer.status_code == 200:
        seen.uploads.append(time.monotonic() - started)
    else:
        seen.failures.append(f"upload: {answer.status_code} {answer.text[:300]}")


if __name__ == "__main__":
    _live(Connection(int(sys.argv[1])), sys.argv[2], json.loads(sys.argv[3]))

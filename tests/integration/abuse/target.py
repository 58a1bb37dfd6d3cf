"""The service as its callers reach it, each from an address of this machine."""

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import httpx

ATTACKER, OTHER_ATTACKER, STRANGER = "127.0.0.3", "127.0.0.4", "127.0.0.2"
PROCESS, SUBMIT = "/api/v1/ocr/process", "/api/v1/jobs/submit"
_WAITS = {429, 503, 507}


@dataclass(frozen=True)
class Target:
    """A service as one caller reaches it, who is known by address, or by the headers sent."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = ATTACKER

    def at(self, address: str) -> "Target":
        """The same as it is reached from there."""
        return replace(self, address=address)

    def client(self, timeout: float = 90) -> httpx.Client:
        """Sends whole requests."""
        transport = httpx.HTTPTransport(
            local_address=self.address, limits=httpx.Limits(max_connections=200)
        )
        return httpx.Client(
            base_url=self.url, transport=transport, timeout=timeout, headers=dict(self.headers)
        )

    def connect(self, keeps: int | None = None) -> socket.socket:
        """A connection on which anything may be said; its system keeps so many bytes unread."""
        where = httpx.URL(self.url)
        connection = socket.socket()
        connection.settimeout(30)
        if keeps is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, keeps)
        connection.bind((self.address, 0))
        connection.connect((where.host, where.port))
        return connection


def answer_of(connection: socket.socket, from_status: int = 100) -> httpx.Response | None:
    """What was answered there; None where it has no end, or a status below that one."""
    answer = http.client.HTTPResponse(connection)
    try:
        answer.begin()
        if answer.status < from_status:
            return None
        return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
    except (OSError, http.client.HTTPException):
        return None


def send_until_refused(connection: socket.socket, pieces: Iterator[bytes]) -> httpx.Response | None:
    """Send until the other side ends it, or there is no more; what it answered."""
    with contextlib.suppress(OSError):
        for piece in pieces:
            connection.sendall(piece)
    return answer_of(connection)


def rounds(seconds: float) -> Iterator[int]:
    """Numbers from 0 until the time is over; one at least."""
    ends, number = time.monotonic() + seconds, 0
    while not number or time.monotonic() < ends:
        yield number
        number += 1


def untold(answers: list[httpx.Response]) -> list[str]:
    """The refusals that do not say which limit was met, or when to come again."""
    return [
        f"{answer.status_code}: {answer.text[:300]}"
        for answer in answers
        if answer.status_code >= 400 and not _says_why(answer)
    ]


def _says_why(answer: httpx.Response) -> bool:
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    waits = answer.status_code not in _WAITS or int(answer.headers.get("retry-after", 0)) > 0
    return waits and answer.status_code != 500 and bool(answer.json()["detail"])

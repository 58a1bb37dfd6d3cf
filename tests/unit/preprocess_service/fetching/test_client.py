import asyncio
import errno
import socket

import httpx
import pytest

from preprocess_service.errors import UrlForbiddenError, UrlRefusedError, UrlUnreachableError
from preprocess_service.fetching.client import make_client
from preprocess_service.fetching.hosts import resolve_host
from tests.unit.preprocess_service.fetching.servers import serving


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


def _resolver(*answers):
    """One answer per look-up, the last for ever."""
    left = [[answer] if isinstance(answer, str) else answer for answer in answers]
    asked = []

    async def resolve(host, port):
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    resolve.asked = asked
    return resolve


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://localhost/", "http://2130706433/",
        "http://0x7f000001/", "http://127.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/", "http://169.254.169.254/latest/meta-data/", "http://0/",
        "http://[64:ff9b::7f00:1]/", "http://①②⑦.⓪.⓪.①/",
        "https://10.0.0.1/", "http://8.8.8.8:22/", "http://user:secret@8.8.8.8/",
        "ftp://8.8.8.8/", "file:///etc/passwd", "http:///x",
    ],
)  # fmt: skip
async def test_what_is_not_public_is_never_connected_to(url):
    async with make_client((), 5) as client:
        with pytest.raises((UrlForbiddenError, httpx.InvalidURL, httpx.UnsupportedProtocol)):
            await client.get(url)


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), UrlRefusedError),
        (socket.gaierror(socket.EAI_NODATA, "No address"), UrlRefusedError),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), UrlUnreachableError),
        (OSError(errno.EMFILE, "Too many open files"), UrlUnreachableError),
    ],
)
async def test_who_is_to_blame_for_a_host_without_address(monkeypatch, failure, error):
    async def fail(*_, **__):
        raise failure

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    with pytest.raises(error):
        await resolve_host("nowhere.invalid", 80)


@pytest.mark.parametrize("host", [f"{'x' * 64}.org", "a..b", ".a.org"])
async def test_name_that_is_none_is_the_callers_fault(host):
    with pytest.raises(UrlRefusedError):
        await resolve_host(host, 80)


async def test_one_private_address_among_public_ones_is_refused():
    async with make_client((), 5, _resolver(["8.8.8.8", "10.0.0.1"])) as client:
        with pytest.raises(UrlForbiddenError):
            await client.get("http://example.org/")


async def test_allowed_host_is_reached_by_its_name_and_port(server):
    resolve = _resolver("127.0.0.1")
    allowed = [f"Files.Test:{server.server_port}"]
    async with make_client(allowed, 5, resolve) as client:
        answer = await client.get(f"http://files.test:{server.server_port}/hello")
        assert answer.text == "hello"
        assert server.requests[-1][1]["Host"] == f"files.test:{server.server_port}"
        with pytest.raises(UrlForbiddenError):
            await client.get("http://files.test:1/hello")
        with pytest.raises(UrlForbiddenError):
            await client.get(f"http://others.test:{server.server_port}/hello")


async def test_checked_address_is_the_one_connected_to(server):
    """DNS that answers otherwise the second time is not asked a second time."""
    resolve = _resolver("127.0.0.1", "127.0.0.2")
    async with make_client([f"rebind.test:{server.server_port}"], 5, resolve) as client:
        assert (await client.get(f"http://rebind.test:{server.server_port}/hello")).is_success
    assert resolve.asked == ["rebind.test"]


async def test_address_that_refuses_is_followed_by_the_next(server):
    resolve = _resolver(["127.0.0.9", "127.0.0.1"])
    async with make_client([f"two.test:{server.server_port}"], 5, resolve) as client:
        answer = await client.post(f"http://two.test:{server.server_port}/hello", content=b"x")
        assert answer.status_code == 501  # the server knows no POST, but it answered


async def test_redirects_are_not_followed_and_cookies_not_kept(server):
    async with make_client([server.host], 5) as client:
        answer = await client.get(f"{server.url}/cookie")
        assert answer.status_code == 302
        await client.get(f"{server.url}/hello")
        assert "Cookie" not in server.requests[-1][1]


async def test_certificate_must_be_that_of_the_name(make_certificate):
    """TLS goes to the pinned address, but for the name of the URL, on a connection of its own."""
    with make_certificate("real.test") as (port, names):
        allowed = [f"real.test:{port}", f"fake.test:{port}"]
        async with make_client(allowed, 5, _resolver("127.0.0.1")) as client:
            assert (await client.get(f"https://real.test:{port}/hello")).text == "hello"
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await client.get(f"https://fake.test:{port}/hello")
        assert names == ["real.test", "fake.test"]

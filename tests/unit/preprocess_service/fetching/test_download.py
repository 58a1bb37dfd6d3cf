import asyncio
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from preprocess_service import errors
from preprocess_service.fetching.download import DownloadRules, download
from preprocess_service.problem import ServiceError
from tests.unit.preprocess_service.fetching.servers import serving


@pytest.fixture(scope="module")
def server():
    with serving() as server:
        yield server


@pytest.fixture
def rules(server):
    return DownloadRules((server.host,), max_bytes=1 << 20, timeout_seconds=5)


async def _fetch(url, rules):
    async with download(url, rules) as file:
        return file.read()


async def test_document_is_fetched_without_asking_for_an_encoding(server, rules):
    assert await _fetch(f"{server.url}/hello", rules) == b"hello"
    assert server.requests[-1][1]["Accept-Encoding"] == "identity"


async def test_five_redirects_are_followed_and_no_sixth(server, rules):
    assert await _fetch(f"{server.url}/chain/4", rules) == b"hello"
    with pytest.raises(errors.UrlForbiddenError, match="redirects more than 5 times"):
        await _fetch(f"{server.url}/chain/5", rules)


async def test_cookies_of_a_redirect_are_not_sent_on(server, rules):
    assert await _fetch(f"{server.url}/cookie", rules) == b"hello"
    assert "Cookie" not in server.requests[-1][1]


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/", "http://169.254.169.254/", "http://[::1]/", "http://10.0.0.1:8080/"],
)
async def test_redirect_to_a_private_address_is_refused(server, rules, target):
    with pytest.raises(errors.UrlForbiddenError):
        await _fetch(f"{server.url}/to/{target}", rules)


async def test_redirect_to_another_scheme_is_refused(server, rules):
    for target in ("file:///etc/passwd", "ftp://8.8.8.8/x", "gopher://8.8.8.8/"):
        with pytest.raises((errors.UrlForbiddenError, errors.UrlUnreachableError)):
            await _fetch(f"{server.url}/to/{target}", rules)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.UrlRefusedError), (403, errors.UrlRefusedError),
        (429, errors.UrlUnreachableError), (500, errors.UrlUnreachableError),
        (204, errors.UrlUnreachableError), (304, errors.UrlUnreachableError),
    ],
)  # fmt: skip
async def test_answer_that_is_no_document_says_so(server, rules, status, error):
    with pytest.raises(error, match=f"answered {status}"):
        await _fetch(f"{server.url}/status/{status}", rules)


async def test_endless_body_is_cut_at_the_limit(server, rules):
    with pytest.raises(errors.DocumentTooLargeError):
        await _fetch(f"{server.url}/endless", rules)


async def test_slow_server_meets_the_time_limit(server, rules):
    started = time.monotonic()
    with pytest.raises(errors.UrlTimeoutError):
        await _fetch(f"{server.url}/slow", DownloadRules(rules.allowed_hosts, 1 << 20, 0.4))
    assert time.monotonic() - started < 2


async def test_slow_resolver_meets_the_time_limit(rules):
    async def never(host, port):
        await asyncio.sleep(60)

    with pytest.raises(errors.UrlTimeoutError):
        await _fetch("http://slow.test/", DownloadRules((), 1 << 20, 0.2, never))


async def test_encoding_that_was_not_asked_for_is_undone(server, rules):
    assert await _fetch(f"{server.url}/gzipped", rules) == b"hello" * 100_000


async def test_decompression_bomb_is_cut_at_the_limit(server, rules):
    with pytest.raises(errors.DocumentTooLargeError):
        await _fetch(f"{server.url}/bomb", rules)


async def test_what_follows_compressed_data_is_not_read(server, rules):
    patient = replace(rules, timeout_seconds=30)
    assert await _fetch(f"{server.url}/gzip_and_more", patient) == b"hello"


async def test_bytes_that_nothing_comes_out_of_count_too(server, rules):
    with pytest.raises(errors.DocumentTooLargeError):
        await _fetch(f"{server.url}/gzip_of_nothing", replace(rules, timeout_seconds=30))


@pytest.mark.parametrize("path", ["cut_gzip", "odd_encoding", "short"])
async def test_body_that_cannot_be_decoded_is_the_hosts_fault(server, rules, path):
    with pytest.raises(errors.UrlUnreachableError):
        await _fetch(f"{server.url}/{path}", rules)


@pytest.mark.parametrize("url", ["http://[", "no url", "http://a b/", "x" * 70_000])
async def test_what_is_no_url_is_the_callers_error(rules, url):
    with pytest.raises(ServiceError):
        await _fetch(url, rules)


async def test_full_disk_is_a_problem_of_its_own(server, rules, monkeypatch):
    # The kernel's own full disk.
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(Path("/dev/full").open, "wb", 0))
    with pytest.raises(errors.StorageFullError):
        await _fetch(f"{server.url}/hello", rules)

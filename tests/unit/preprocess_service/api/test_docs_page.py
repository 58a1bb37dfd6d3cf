"""The page for trying the API needs no other host than its own."""

import base64
import hashlib
import re

import httpx
import pytest

_ADDRESS = re.compile(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""")


async def test_what_the_page_loads_is_served_here(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    addresses = _ADDRESS.findall(page.text)
    assert any(address.endswith(".js") for address in addresses)
    assert any(address.endswith(".css") for address in addresses)
    for address in addresses:
        assert address.startswith("/")
        found = await client.get(address)
        assert found.status_code == 200
        assert len(found.content) > 1000
    # The script would have the document checked by a server of its maker.
    assert '"validatorUrl": null' in page.text


async def test_the_page_runs_its_own_scripts_and_no_others(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    policy = page.headers["content-security-policy"]
    scripts = re.findall(r"<script(?: [^>]*)?>(.*?)</script>", page.text, re.DOTALL)
    written = [script for script in scripts if script]
    assert written
    for script in written:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    (allowed,) = re.findall("script-src ([^;]*);", policy)
    assert allowed.split()[0] == "'self'"
    assert len(allowed.split()) == 1 + len(written)
    assert not re.search(r"""<[^>]* on\w+=|javascript:""", page.text)
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/health", "/api/v1/models", "/metrics", "/openapi.json", "/no"])
async def test_a_browser_runs_nothing_of_any_other_answer(
    client: httpx.AsyncClient, path: str
) -> None:
    for answer in (await client.get(path), await client.options(path), await client.head(path)):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"]


async def test_there_is_no_second_page(client: httpx.AsyncClient) -> None:
    assert (await client.get("/redoc")).status_code == 404

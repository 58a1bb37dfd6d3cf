"""An HTTP client that connects only to addresses it has checked."""

from collections.abc import Sequence
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy

import httpx

from preprocess_service.fetching.hosts import HostRules, Resolve, resolve_host

# A connection that is kept would serve every host of its address, certificate unchecked.
_NOTHING_KEPT = httpx.Limits(max_keepalive_connections=0)


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends each request to an address that `rules` let through, whatever DNS says a moment later.

    Host header, server name and certificate check stay those of the URL.
    """

    def __init__(self, rules: HostRules) -> None:
        self._rules = rules
        self._transport = httpx.AsyncHTTPTransport(trust_env=False, limits=_NOTHING_KEPT)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that takes the connection.

        Raises:
            UrlForbiddenError: The URL may not be requested.
            UrlRefusedError: There is no such host.
            UrlUnreachableError: Its host has no address now.
            httpx.TransportError: No address answers.
        """
        *others, last = await self._rules.addresses_of(request.url)
        for address in others:
            with suppress(httpx.ConnectError, httpx.ConnectTimeout):  # nothing has been sent yet
                return await self._transport.handle_async_request(_pin(request, address))
        return await self._transport.handle_async_request(_pin(request, last))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()


def _pin(request: httpx.Request, address: str) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.raw_host.decode()},
    )


def make_client(
    allowed_hosts: Sequence[str], timeout_seconds: float, resolve: Resolve = resolve_host
) -> httpx.AsyncClient:
    """A client for URLs that callers name; it follows no redirects and keeps no cookies.

    Its requests may raise `UrlForbiddenError`, `UrlRefusedError` and `UrlUnreachableError` beside
    httpx's errors.

    Args:
        allowed_hosts: Hosts (`host` or `host:port`) that may have private addresses.
        timeout_seconds: For connecting, and for each piece that is sent or received.
        resolve: Finds the addresses of hosts.
    """
    client = httpx.AsyncClient(
        transport=CheckedTransport(HostRules(allowed_hosts, resolve)),
        timeout=timeout_seconds,
        trust_env=False,
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client

"""Where a URL may lead: decided once per request, on the addresses that are then connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

import httpx

from preprocess_service.errors import UrlForbiddenError, UrlUnreachableError
from preprocess_service.fetching.addresses import is_public

_PORTS = {"http": 80, "https": 443}

#: The addresses of a host and port.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class HostRules:
    """http and https to public addresses and ports 80 and 443, and to the hosts allowed by name.

    `allowed_hosts` holds `host` (those two ports) or `host:port`; its addresses may be private.
    """

    def __init__(self, allowed_hosts: Sequence[str], resolve: Resolve) -> None:
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._resolve = resolve

    async def addresses_of(self, url: httpx.URL) -> Sequence[str]:
        """The addresses that a request to this URL may be sent to, at least one.

        Raises:
            UrlForbiddenError: It may not be sent.
            UrlUnreachableError: The host has no address.
        """
        if url.scheme not in _PORTS or not url.host or url.userinfo:
            raise UrlForbiddenError("Only http and https URLs without user name are fetched.")
        port = url.port or _PORTS[url.scheme]
        is_allowed = self._is_allowed(url.host, port)
        if port not in _PORTS.values() and not is_allowed:
            raise UrlForbiddenError(f"Port {port} is not fetched from (URL_ALLOWED_HOSTS).")
        addresses = await self._resolve(url.raw_host.decode(), port)
        if not addresses:
            raise UrlUnreachableError("The host of the URL has no address.")
        if not is_allowed and not all(map(is_public, addresses)):
            raise UrlForbiddenError(
                "The host of the URL has an address that is not public (URL_ALLOWED_HOSTS)."
            )
        return addresses

    def _is_allowed(self, host: str, port: int) -> bool:
        by_name = host in self._allowed and port in _PORTS.values()
        return by_name or f"{host}:{port}" in self._allowed


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """The host's addresses, in the order of the system; IP addresses in any spelling are their own.

    Raises:
        UrlUnreachableError: There is none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise UrlUnreachableError("The host of the URL has no address.") from exc
    return list(dict.fromkeys(str(item[4][0]) for item in found))

"""The rules for hosts and addresses, checked once per request on what is then connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from preprocess_service.errors import UrlForbiddenError, UrlRefusedError, UrlUnreachableError

_PORTS = {"http": 80, "https": 443}
# Said by those who know; other failures of a look-up may pass.
_NO_SUCH_HOST = {socket.EAI_NONAME, socket.EAI_NODATA}

#: The addresses of a host and port.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
# Of IANA's registry of special addresses what `is_global` takes for public: protocol assignments
# (older Pythons), AS112, AMT relays and 6to4 relays. The last one answers inside Azure alone.
_V4_REFUSED = tuple(
    IPv4Network(network)
    for network in (
        "192.0.0.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "168.63.129.16/32",
    )
)
_V6_PUBLIC = IPv6Network("2000::/3")
# Inside it: addresses that stand for others (Teredo, 6to4), of documentation and tests, of AS112.
_V6_REFUSED = tuple(
    IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)


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
            UrlRefusedError: There is no such host.
            UrlUnreachableError: The host has no address now.
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
        UrlRefusedError: There is no such host, or the name can be none.
        UrlUnreachableError: It cannot be looked up now.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        if isinstance(exc, UnicodeError) or exc.errno in _NO_SUCH_HOST:
            raise UrlRefusedError("There is no host of the name in the URL.") from exc
        raise UrlUnreachableError("The host of the URL cannot be looked up now.") from exc
    return list(dict.fromkeys(str(item[4][0]) for item in found))


def is_public(address: str) -> bool:
    """Whether the address belongs to the public internet, and stands for no other address.

    IPv6 addresses that carry an IPv4 address (mapped, NAT64, 6to4, Teredo) are refused whatever
    they carry: a gateway may lead them anywhere.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved
    return address.is_global and not special and not any(address in net for net in _V4_REFUSED)


def _is_public_v6(address: IPv6Address) -> bool:
    return address in _V6_PUBLIC and not any(address in net for net in _V6_REFUSED)

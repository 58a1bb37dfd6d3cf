"""The limits of open connections, over all addresses and from one address."""

import resource
from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from preprocess_service.api.requests import network_of
from preprocess_service.errors import QueueFullError

#: Files that a process needs beside its connections: uploads, pipes, the sockets of its clients.
_OTHER_FILES = 512
# Enough for any number of connections that one process can serve.
_MOST_FILES = 65_536


class Connections:
    """Counts connections by address; proxies, which bring many callers, may have any number."""

    def __init__(self, most: int, most_of_address: int, proxies: Sequence[str]) -> None:
        self._most = most
        self._most_of_address = most_of_address
        self._proxies = tuple(map(ip_network, proxies))
        self._of_address: Counter[str] = Counter()
        self._open = 0

    def enter(self, host: str | None) -> QueueFullError | None:
        """Count one more, whether or not it may stay; why it may not."""
        network = network_of(host)
        self._open += 1
        self._of_address[network] += 1
        if self._open > self._most:
            return QueueFullError("As many connections as allowed are open (MAX_CONNECTIONS).")
        if self._of_address[network] > self._most_of_address and not self._is_proxy(host):
            return QueueFullError(
                "As many connections of one address as allowed are open (CONNECTIONS_PER_ADDRESS)."
            )
        return None

    def leave(self, host: str | None) -> None:
        """Count one less."""
        network = network_of(host)
        self._open -= 1
        self._of_address[network] -= 1
        if not self._of_address[network]:
            del self._of_address[network]

    def _is_proxy(self, host: str | None) -> bool:
        try:
            address = ip_address(host or "")
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def connections_that_fit(most: int) -> int:
    """As many as asked for, fewer where the system allows this process no more open files.

    Its soft limit is raised as far as that helps and the hard one allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        soft = max(soft, min(allowed, _MOST_FILES))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return most if soft == resource.RLIM_INFINITY else max(1, min(most, soft - _OTHER_FILES))

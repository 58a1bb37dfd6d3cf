"""Which ports are free, and who holds one that is not."""

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import cycle, islice

import psutil

from embedded.errors import PortTakenError

# Below the 32768 to 60999 of Linux (ip_local_port_range), above what services are known by.
_NEVER_GIVEN = range(20_000, 32_768)
# So far apart do two processes begin of which one was started next to the other.
_APART = 256


def require_free_ports(addresses: Mapping[str, tuple[str, int]]) -> None:
    """Make sure that every port can be listened on.

    Args:
        addresses: Name of the port's setting → host and port.

    Raises:
        PortTakenError: Two settings name one port, or a port is in use.
    """
    seen: dict[int, str] = {}
    for setting, (host, port) in addresses.items():
        if port in seen:
            raise PortTakenError(
                f"{seen[port]} and {setting} both name port {port}. Give each its own."
            )
        seen[port] = setting
        try:
            _listen(host, port).close()
        except OSError as error:
            raise PortTakenError(
                f"Cannot listen on {host}:{port} ({setting}): {error.strerror}{_holder(port)}. "
                f"Stop what holds it, or set {setting} to another port."
            ) from error


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports that were free a moment ago, all different.

    Until it is listened on, nothing takes one by chance: the system gives none of them to a
    connection or to whoever asks for any port, and another process begins elsewhere.
    """
    ports: list[int] = []
    for port in islice(_in_turn(), len(_NEVER_GIVEN)):
        with contextlib.suppress(OSError):
            _listen(host, port).close()
            ports.append(port)
        if len(ports) == count:
            return ports
    raise PortTakenError(f"{host} has no {count} free ports from 20000 to 32767.")


@cache
def _in_turn() -> Iterator[int]:
    """Return each port in its turn, over and over, from a place that is this process's own."""
    place = os.getpid() * _APART % len(_NEVER_GIVEN)
    return cycle([*_NEVER_GIVEN[place:], *_NEVER_GIVEN[:place]])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # As the servers do: connections of the last run in TIME_WAIT do not count as taken.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _holder(port: int) -> str:
    """Return ` by process N (name)`, or nothing where the system does not tell."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                if connection.pid is None:
                    return ""
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return ""
    return ""

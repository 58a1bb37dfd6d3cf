"""Which ports are free, and who holds one that is not."""

import socket
from collections.abc import Mapping

import psutil

from embedded.errors import PortTakenError


def require_free_ports(host: str, ports: Mapping[str, int]) -> None:
    """Make sure that every port can be listened on.

    Args:
        host: The address to listen on.
        ports: Setting name → port.

    Raises:
        PortTakenError: Two settings name one port, or a port is in use.
    """
    seen: dict[int, str] = {}
    for setting, port in ports.items():
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
    """Return ports that were free a moment ago, all different."""
    listeners = [_listen(host, 0) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


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

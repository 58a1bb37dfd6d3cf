import os
import socket
from pathlib import Path

import pytest

from embedded.errors import PortTakenError
from embedded.ports import free_ports, require_free_ports


def test_free_ports_are_different_and_can_be_used() -> None:
    ports = [*free_ports(4), *free_ports(4)]
    assert len(set(ports)) == 8
    first_given, _ = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert max(ports) < int(first_given)
    require_free_ports({f"PORT_{port}": ("127.0.0.1", port) for port in ports})


def test_a_taken_port_names_its_setting_and_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"{port} \(PORT\).*by process {os.getpid()}"):
            require_free_ports({"PORT": ("127.0.0.1", port)})


def test_one_port_for_two_settings_is_told() -> None:
    (port,) = free_ports(1)
    with pytest.raises(PortTakenError, match=f"A and B both name port {port}"):
        require_free_ports({"A": ("127.0.0.1", port), "B": ("127.0.0.1", port)})

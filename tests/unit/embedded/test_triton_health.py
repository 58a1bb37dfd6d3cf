"""Triton's health as its containers and its supervisor ask for it."""

import subprocess
import sys

from embedded.ports import free_ports
from embedded.settings import Settings
from embedded.triton import _network_arguments
from embedded.triton_health import is_live, is_ready
from ocr_base.places import CHECKOUT
from tests.unit.embedded.triton_in_place import NO, YES, health_server


def test_a_triton_that_loads_a_candidate_lives_and_is_not_ready() -> None:
    with health_server(ServerLive=YES, ServerReady=NO) as address:
        assert is_live(address)
        assert not is_ready(address)


def test_nobody_and_a_stranger_are_no_triton() -> None:
    assert not is_live(f"127.0.0.1:{free_ports(1)[0]}")
    with health_server() as address:
        assert not is_live(address)


def test_a_proxy_of_the_environment_is_not_asked(monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_ports(1)[0]}")
    monkeypatch.delenv("no_proxy", raising=False)
    with health_server(ServerLive=YES) as address:
        assert is_live(address)


def test_its_exit_status_tells_a_container() -> None:
    command = [sys.executable, str(CHECKOUT / "embedded" / "triton_health.py")]
    with health_server(ServerLive=YES) as address:
        assert subprocess.run([*command, address]).returncode == 0
    assert subprocess.run([*command, address]).returncode == 1


def test_opening_triton_opens_neither_http_nor_metrics() -> None:
    opened = Settings(triton_host="0.0.0.0", _env_file=None)
    arguments = _network_arguments(opened, "key")
    assert "--grpc-address=0.0.0.0" in arguments
    assert "--http-address=127.0.0.1" in arguments
    assert "--metrics-address=127.0.0.1" in arguments


def test_http_can_be_off() -> None:
    arguments = _network_arguments(Settings(triton_http_port=0, _env_file=None), "key")
    assert "--allow-http=false" in arguments
    assert not [argument for argument in arguments if argument.startswith("--http")]
    assert "TRITON_HTTP_PORT" not in Settings(triton_http_port=0).triton_addresses

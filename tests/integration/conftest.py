"""The real local stack, started once for every test that talks to it or to its Triton."""

import json
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embedded.ports import free_ports
from embedded.settings import Settings
from export.configs import read_config
from ocr_base.places import CHECKOUT
from tests.integration.whole_stack import StackTriton, running_stack

INTEGRATION = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def web_port() -> int:
    """A port of this machine that the stack fetches documents from."""
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="session")
def receiver_port() -> int:
    """Another, that it tells of jobs too."""
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, web_port: int, receiver_port: int
) -> Iterator[tuple[psutil.Process, Settings]]:
    """The whole local stack, jobs included: its supervisor and its settings."""
    hosts = f"127.0.0.1:{web_port},127.0.0.1:{receiver_port}"
    with running_stack(tmp_path_factory.mktemp("stack"), hosts) as started:
        yield started


@pytest.fixture(scope="session")
def live_release() -> int:
    """The release that the project's model repository serves."""
    config = read_config(CHECKOUT / "model_repository" / "ocr" / "config.pbtxt")
    return int(json.loads(config.parameters["releases"].string_value)["live"])


@pytest.fixture(scope="session")
def triton(stack: tuple[psutil.Process, Settings]) -> StackTriton:
    """The Triton of the stack: `triton.settings` has its addresses."""
    _, settings = stack
    return StackTriton(settings)

"""The real embedded Triton, started once for every test that talks to it."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from embedded.ports import free_ports
from embedded.settings import CHECKOUT, Settings
from embedded.triton import Triton, running_triton, settings_on_free_ports
from tests.integration.whole_stack import running_stack

INTEGRATION = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if INTEGRATION in item.path.parents:
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    """A Triton with the project's model repository, ready: `triton.settings` has its addresses."""
    settings = settings_on_free_ports(
        CHECKOUT / "model_repository", tmp_path_factory.mktemp("triton")
    )
    with running_triton(settings) as started:
        yield started


@pytest.fixture(scope="session")
def web_port() -> int:
    """A port of this machine that the stack fetches documents from."""
    (port,) = free_ports(1)
    return port


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, web_port: int
) -> Iterator[tuple[psutil.Process, Settings]]:
    """The whole local stack, jobs included: its supervisor and its settings."""
    with running_stack(tmp_path_factory.mktemp("stack"), f"127.0.0.1:{web_port}") as started:
        yield started

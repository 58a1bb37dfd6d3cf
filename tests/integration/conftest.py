"""The real embedded Triton, started once for every test that talks to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.settings import CHECKOUT
from embedded.triton import Triton, running_triton, settings_on_free_ports

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

"""One instance of all containers, started from nothing and gone at the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.ports import free_ports
from tests.containers.instance import Instance, copy_checkout

CONTAINERS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if CONTAINERS in item.path.parents:
            item.add_marker(pytest.mark.containers)


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """A clean copy of the checkout; nothing of it runs yet, what an earlier run left is gone."""
    folder = copy_checkout(tmp_path_factory.mktemp("clone") / "ocr-server")
    port, grafana_port = free_ports(2)
    (folder / ".env").write_text(f"PORT={port}\nGRAFANA_PORT={grafana_port}\n")
    instance = Instance(folder, port, grafana_port)
    instance.remove()
    yield instance
    instance.remove()

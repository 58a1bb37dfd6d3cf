"""What git runs before a commit and a push is what continuous integration runs."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from ocr_base.places import CHECKOUT


@pytest.mark.parametrize(("hook", "target"), [("pre-commit", "lint"), ("pre-push", "test")])
def test_a_hook_makes_its_target(hook: str, target: str, tmp_path: Path) -> None:
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "$@"\n')
    make.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [CHECKOUT / ".githooks" / hook]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == target
    assert re.search(rf"^{target}: .*##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)


def test_continuous_integration_makes_the_tests_that_a_push_makes() -> None:
    assert "make test\n" in (CHECKOUT / ".ci" / "run").read_text()

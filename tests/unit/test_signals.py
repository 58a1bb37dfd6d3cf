"""The programs that tests start hear the signals that tests send them."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SHOW = "import signal; print(*(signal.getsignal(n) is signal.SIG_IGN for n in (1, 2, 15)))"
IN_A_TEST = f"""
import signal, subprocess, sys
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
import tests.conftest
assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
sys.exit(subprocess.run([sys.executable, "-c", {SHOW!r}]).returncode)
"""


@pytest.mark.parametrize("script", [SHOW, IN_A_TEST], ids=["here", "where all are ignored"])
def test_a_child_ignores_no_signal_that_its_starter_was_made_to_ignore(script):
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("False False False", "")

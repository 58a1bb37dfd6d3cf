"""Programs that tests start, and signals to this one."""

import asyncio
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A process that ends with the block at the latest, also where the test fails.

    Args:
        command: The program and its arguments.
        options: Those of `subprocess.Popen`.
    """
    with subprocess.Popen(command, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def hear(number: signal.Signals) -> None:
    """Let the running loop hear a signal that nobody sent.

    A loop of an earlier test that is collected now takes the handlers of its signals with it, those
    of this loop too: a signal that is sent then ends the process, and all tests with it.
    """
    asyncio.get_running_loop()._signal_handlers[number]._run()  # type: ignore[attr-defined]

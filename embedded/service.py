"""One supervised child: started, watched until ready, started again when it dies."""

import enum
import logging
import time
from collections.abc import Iterator
from typing import Protocol

from embedded.errors import StartError
from embedded.guarded_process import GuardedProcess

logger = logging.getLogger("embedded")

HEALTHY_SECONDS = 60.0  # after so long a life, a death is not held to be a repeated one
FIRST_DELAY_SECONDS = 1.0
LONGEST_DELAY_SECONDS = 30.0
POLL_SECONDS = 0.2


class State(enum.Enum):
    """Where a service stands."""

    STARTING = enum.auto()
    READY = enum.auto()
    WAITING = enum.auto()  # dead, to be started again after a pause


class Probe(Protocol):
    """What a service can be asked about itself; each answer takes about a second at most."""

    def is_ready(self) -> bool:
        """Return whether it does its work."""
        ...

    def find_fault(self) -> str:
        """Return why it can no longer do its work although it runs, empty while it can."""
        ...

    def explain(self) -> str:
        """Return what it said itself about its end, empty if nothing."""
        ...


class Service:
    """A guarded process with a promise of readiness.

    Args:
        name: What the messages call it.
        process: What is started.
        probe: Asks the started process.
        startup_seconds: How long a start may take.
    """

    def __init__(
        self, name: str, process: GuardedProcess, probe: Probe, startup_seconds: float
    ) -> None:
        self.name = name
        self.process = process
        self.state = State.WAITING
        self._probe = probe
        self._startup_seconds = startup_seconds
        self._deadline = 0.0
        self._since = 0.0
        self._delays = _delays()

    def start(self) -> None:
        """Start the process; the service is then `STARTING`."""
        self.process.start()
        self.state = State.STARTING
        self._deadline = time.monotonic() + self._startup_seconds

    def check_start(self) -> None:
        """Take note of how the start goes.

        Raises:
            StartError: The process died or the deadline passed; nothing of it runs any more.
        """
        code = self.process.poll()
        if code is not None:
            raise StartError(f"{self.name} {_ending(code)} while starting.{self._probe.explain()}")
        if self._probe.is_ready():
            self.state, self._since = State.READY, time.monotonic()
        elif time.monotonic() > self._deadline:
            self.process.stop()
            raise StartError(
                f"{self.name} was not ready within {self._startup_seconds:.0f} s "
                f"(TRITON_STARTUP_TIMEOUT).{self._probe.explain()}"
            )

    def keep_alive(self) -> None:
        """Take note of a death and, after a pause that grows from death to death, start again."""
        if self.state is State.WAITING:
            if time.monotonic() >= self._deadline:
                self.start()
        elif self.state is State.STARTING:
            self._check_restart()
        elif (code := self.process.poll()) is not None:
            if time.monotonic() - self._since > HEALTHY_SECONDS:
                self._delays = _delays()
            self._pause(f"{self.name} {_ending(code)}.{self._probe.explain()}")
        elif fault := self._probe.find_fault():
            logger.error("%s cannot go on: %s. It is ended.", self.name, fault)
            self.process.kill()

    def stop(self) -> None:
        """End the process; return when nothing of it is left."""
        self.process.stop()

    def _check_restart(self) -> None:
        try:
            self.check_start()
        except StartError as error:
            self._pause(str(error))
        else:
            if self.state is State.READY:
                logger.info("%s is ready again.", self.name)

    def _pause(self, reason: str) -> None:
        delay = next(self._delays)
        self.state, self._deadline = State.WAITING, time.monotonic() + delay
        logger.error("%s\nStarting %s again in %.0f s.", reason, self.name, delay)


def _delays() -> Iterator[float]:
    delay = FIRST_DELAY_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, LONGEST_DELAY_SECONDS)


def _ending(code: int) -> str:
    return f"was ended by signal {code - 128}" if code > 128 else f"ended with code {code}"

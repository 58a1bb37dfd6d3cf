"""What ends an array job before its last document."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class ExitStatus(IntEnum):
    """What the scheduler sees; `docs/batch.md` has the same table."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    AWAY = 3
    INTERRUPTED = 130
    TERMINATED = 143


class ArrayJobUsageError(Exception):
    """The array job cannot start like this; `str()` says what to change."""


class ArrayJobStoppedError(Exception):
    """Triton, the input or the output is away; a later run goes on where this one stopped."""


@contextmanager
def stopped_without(place: str) -> Iterator[None]:
    """Around what uses the input or the output.

    Raises:
        ArrayJobStoppedError: It raised OSError.
    """
    try:
        yield
    except OSError as exc:
        raise ArrayJobStoppedError(f"The {place} cannot be used: {exc}.") from exc

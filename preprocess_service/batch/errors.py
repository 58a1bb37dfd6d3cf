"""What ends a batch before its last document."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """What the scheduler sees; `docs/batch.md` has the same table."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    AWAY = 3
    INTERRUPTED = 130
    TERMINATED = 143


class BatchUsageError(Exception):
    """The batch cannot start like this; `str()` says what to change."""


class BatchStoppedError(Exception):
    """Triton or the output is away; a later run goes on where this one stopped."""

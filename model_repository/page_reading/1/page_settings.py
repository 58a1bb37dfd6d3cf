"""What `page_reading`'s config.pbtxt says, as typed values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from text_boxes import BoxThresholds

_QUOTED_CHARACTERS = 40


class UnknownOptionError(ValueError):
    """A strategy or a language that this release does not have; the message lists what it has."""


@dataclass(frozen=True)
class DetectionSettings:
    """Canvases as (height, width), limits in pixels."""

    canvases: list[tuple[int, int]]
    limit_long_side: int
    limit_short_side: int
    thresholds: BoxThresholds


@dataclass(frozen=True)
class RecognitionSettings:
    """Crop height and bucket widths in pixels, ascending.

    A squeezed line of more than `densest` characters per time step is read again unsqueezed.
    """

    height: int
    widths: list[int]
    pixels_per_step: int
    densest: float
    padding: int
    max_batch_size: int


@dataclass(frozen=True)
class OrientationSettings:
    """Input shape of an orientation model, in pixels."""

    height: int
    width: int
    max_batch_size: int


@dataclass(frozen=True)
class Strategy:
    """Which models read a page, and how; `page_orientation` is never, when_unreadable or always."""

    detection: str
    recognition: list[str]
    squeeze: float
    page_orientation: str
    textline_orientation: bool


@dataclass(frozen=True)
class ModelSettings:
    """What a model is for, and the names of its tensors; its own name says nothing."""

    task: str
    input: str
    outputs: list[str]


@dataclass(frozen=True)
class PageSettings:
    """All numbers of one release.

    Raises:
        ValueError: A strategy or a language leads to a model that the release does not have.
    """

    release: int
    models: Mapping[str, ModelSettings]
    strategies: Mapping[str, Strategy]
    writes: Mapping[str, Sequence[str]]
    default_recognizers: Mapping[str, str]
    detection: DetectionSettings
    recognition: RecognitionSettings
    textline_orientation: OrientationSettings
    page_orientation: OrientationSettings

    def __post_init__(self) -> None:
        named = [*self.writes, *self.default_recognizers.values()]
        for strategy in self.strategies.values():
            named += [strategy.detection, *strategy.recognition]
        if unknown := sorted(set(named) - set(self.models)):
            raise ValueError(
                f"a strategy or a language leads to {', '.join(unknown)}: no such model"
            )

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, str]) -> PageSettings:
        """Read the JSON strings of a model configuration's `parameters`."""
        raw = {name: json.loads(value) for name, value in parameters.items()}
        detection = dict(raw["detection"])
        thresholds = {name: detection.pop(name) for name in BoxThresholds.__dataclass_fields__}
        return cls(
            release=int(raw["release"]),
            models={name: _pick(ModelSettings, table) for name, table in raw["models"].items()},
            strategies={name: _pick(Strategy, table) for name, table in raw["strategies"].items()},
            writes=raw["writes"],
            default_recognizers=raw["default_recognizers"],
            detection=DetectionSettings(
                canvases=[(h, w) for h, w in detection["canvases"]],
                limit_long_side=detection["limit_long_side"],
                limit_short_side=detection["limit_short_side"],
                thresholds=BoxThresholds(**thresholds),
            ),
            recognition=_pick(RecognitionSettings, raw["recognition"]),
            textline_orientation=_pick(OrientationSettings, raw["textline_orientation"]),
            page_orientation=_pick(OrientationSettings, raw["page_orientation"]),
        )

    def model_of(self, task: str) -> str:
        """Return the name of the first model of a task."""
        return next(name for name, model in self.models.items() if model.task == task)

    def strategy(self, name: str) -> Strategy:
        """Return a strategy by name, or raise UnknownOptionError."""
        if name not in self.strategies:
            raise UnknownOptionError(_unknown("STRATEGY", name, self.strategies))
        return self.strategies[name]

    def recognizer(self, strategy: str, languages: Sequence[str]) -> str:
        """Return the first recognizer that writes all languages: the strategy's own come first.

        Without a language it is the strategy's full alphabet.

        Raises:
            UnknownOptionError: No recognizer writes them (all).
        """
        if not languages:
            return self.default_recognizers[strategy]
        known = dict.fromkeys(code for codes in self.writes.values() for code in codes)
        for language in languages:
            if language not in known:
                raise UnknownOptionError(_unknown("LANGUAGE", language, known))
        for name in [*self.strategies[strategy].recognition, *self.writes]:
            if set(languages) <= set(self.writes[name]):
                return name
        asked = ", ".join(dict.fromkeys(languages))
        raise UnknownOptionError(f"no single recognizer writes all of {asked}")


def _pick(kind: Any, table: Mapping[str, Any]) -> Any:
    return kind(**{name: table[name] for name in kind.__dataclass_fields__})


def _unknown(tensor: str, value: str, known: Mapping[str, Any]) -> str:
    shown = value if len(value) <= _QUOTED_CHARACTERS else f"{value[:_QUOTED_CHARACTERS]}…"
    return f"{tensor} '{shown}' is not in this release; it has: {', '.join(sorted(known))}"

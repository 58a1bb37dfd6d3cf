"""Which recognizer a release reads a request with, as its `page_reading` chooses it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from export.configs import read_config
from ocr_base.triton import CONFIG, READER


@dataclass(frozen=True)
class Routes:
    """How a release's strategies and languages lead to its recognizers.

    Attributes:
        recognizers: Strategy → its own recognizers, in their order.
        writes: Recognizer → codes of the languages that it writes.
        defaults: Strategy → what reads where no language is named.
    """

    recognizers: Mapping[str, Sequence[str]]
    writes: Mapping[str, Sequence[str]]
    defaults: Mapping[str, str]

    @classmethod
    def of(cls, models: Path) -> Routes:
        """Read what a release's configuration tells `page_reading`."""
        told = read_config(models / READER / CONFIG).parameters
        strategies = json.loads(told["strategies"].string_value)
        return cls(
            recognizers={name: table["recognition"] for name, table in strategies.items()},
            writes=json.loads(told["writes"].string_value),
            defaults=json.loads(told["default_recognizers"].string_value),
        )

    @property
    def languages(self) -> list[str]:
        """All that some recognizer writes: every strategy reads them."""
        return list(dict.fromkeys(code for codes in self.writes.values() for code in codes))

    def recognizer(self, strategy: str, languages: Sequence[str]) -> str | None:
        """Return what reads a request; None where it is refused."""
        if strategy not in self.recognizers or not languages:
            return self.defaults.get(strategy)
        order = dict.fromkeys([*self.recognizers[strategy], *self.writes])
        return next((name for name in order if set(languages) <= set(self.writes[name])), None)

    def ways(self, strategy: str) -> dict[str, tuple[str, ...]]:
        """Return every recognizer that serves a strategy → languages, if any, that lead to it."""
        requests: list[tuple[str, ...]] = [(code,) for code in self.languages]
        # Some are reached by several languages together only.
        requests += [tuple(codes) for codes in self.writes.values() if codes]
        ways: dict[str, tuple[str, ...]] = {}
        for languages in [*requests, ()]:
            if (name := self.recognizer(strategy, languages)) is not None:
                ways.setdefault(name, languages)
        return ways

    def lost(self, before: Routes) -> list[str]:
        """Return what requests another release takes that this one refuses."""
        strategies = [f"strategy {s}" for s in before.recognizers if s not in self.recognizers]
        known = set(self.languages)
        return strategies + [f"language {c}" for c in before.languages if c not in known]

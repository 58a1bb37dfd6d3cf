"""Each recognizer of the project's release scrambled: its own small pages tell, by its name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from typing import Any

import onnx
import onnxruntime
import pytest

from bench.in_process import PageReaders, open_model
from export.languages import read_languages
from ocr_base.places import MODEL_REPOSITORY
from ocr_base.triton import CONFIG
from quality.predictions import Line
from releases.asks import Ask, Planner
from releases.judgement import Group, find_faults, groups_of
from releases.letters import letters_page
from releases.limits import GateLimits
from releases.reading import compare
from releases.routes import Routes
from tests.forged_models import scramble

LIVE, CANDIDATE = 1, 2
STRATEGIES = ("speed", "balanced", "accuracy")
RECOGNIZERS = (
    "text_recognition", "text_recognition_latin",
    "text_recognition_tiny", "text_recognition_tiny_latin",
)  # fmt: skip
opened = cache(open_model)

pytestmark = pytest.mark.skipif(
    not (MODEL_REPOSITORY / "text_detection" / CONFIG).exists(), reason="no models are installed"
)


@dataclass
class InProcess:
    """Reads as `page_reading` does, without Triton; the candidate's `worse` is scrambled."""

    settings: Any
    worse: str = ""
    #: What the live release read is the same beside every candidate.
    known: dict[tuple[str, str], list[Line]] = field(default_factory=dict)

    @property
    def routes(self) -> Routes:
        recognizers = {name: s.recognition for name, s in self.settings.strategies.items()}
        return Routes(recognizers, self.settings.writes, self.settings.default_recognizers)

    def read(self, ask: Ask, release: int) -> list[Line]:
        if release == CANDIDATE and ask.recognizer == self.worse:
            return self._read(ask, self.worse)
        key = (ask.strategy, ask.page.item.item_id)
        if key not in self.known:
            self.known[key] = self._read(ask)
        return self.known[key]

    def _read(self, ask: Ask, worse: str = "") -> list[Line]:
        async def infer(model: str, batch: Any) -> dict[str, Any]:
            feeds = {self.settings.models[model].input: batch}
            if model != worse:
                return opened(model).run(feeds)
            outputs = self.settings.models[model].outputs
            session = scrambled(model, self.settings.release)
            return dict(zip(outputs, session.run(outputs, feeds), strict=True))

        recognizer = self.settings.recognizer(ask.strategy, ask.languages)
        assert recognizer == ask.recognizer  # as the routes say
        reader = import_module("reader").PageReader(self.settings, infer)
        strategy = self.settings.strategy(ask.strategy)
        found = asyncio.run(reader.read(ask.page.pixels, strategy, recognizer)).lines
        return [Line(line.text, None, line.confidence) for line in found if line.confidence >= 0.5]


@cache
def scrambled(name: str, release: int) -> onnxruntime.InferenceSession:
    model = onnx.load_model(MODEL_REPOSITORY / f"{name}_r{release}" / "1" / "model.onnx")
    scramble(model.graph)
    return onnxruntime.InferenceSession(model.SerializeToString())


@pytest.fixture(scope="module")
def reader() -> InProcess:
    return InProcess(PageReaders("speed").settings)


def gated(reader: InProcess, worse: str, live: Routes | None) -> list[Group]:
    """What the gate finds on the smallest pages that it draws."""
    reader.worse = worse
    planner = Planner(reader.routes, live, partial(letters_page, languages=read_languages()))
    before = None if live is None else LIVE
    return [
        group
        for strategy in STRATEGIES
        for group in groups_of(
            strategy, list(compare(reader, CANDIDATE, before, planner.plan([], strategy)))
        )
    ]


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_a_scrambled_recognizer_is_refused_by_its_own_pages(reader: InProcess, name: str) -> None:
    groups = gated(reader, name, reader.routes)
    told = [group.name for group in groups if group.recognizer == name]
    assert told
    limits = GateLimits(slower=1000)
    faults = [fault for fault in find_faults(groups, limits) if "-loss" in fault]
    named = {fault.split(":")[0] for fault in faults if "text_" in fault}
    assert named == set(told), faults


def test_the_same_release_again_has_no_fault_and_what_is_new_reads_well(reader: InProcess) -> None:
    assert find_faults(gated(reader, "", reader.routes), GateLimits(slower=1000)) == []
    groups = gated(reader, "", None)
    assert all(group.live is None for group in groups)
    print({group.name: group.candidate.f1 for group in groups})
    assert find_faults(groups, GateLimits()) == []
    served = {(g.strategy, g.recognizer) for g in groups}
    assert served == {
        *(("speed", name) for name in RECOGNIZERS),
        *((strategy, name) for strategy in STRATEGIES[1:] for name in RECOGNIZERS[:2]),
    }


def test_a_recognizer_that_only_the_candidate_has_must_read_well_by_itself(
    reader: InProcess,
) -> None:
    before = reader.routes
    only_english = {name: ["en"] for name in ("text_recognition", "text_recognition_tiny")}
    live = Routes(before.recognizers, {**before.writes, **only_english}, before.defaults)
    faults = find_faults(gated(reader, "text_recognition", live), GateLimits(slower=1000))
    assert [f.split(": F1")[0] for f in faults if "text_" in f] == [
        "speed, text_recognition (ja)",
        "balanced, text_recognition (ja)",
        "accuracy, text_recognition (ja)",
    ]

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quality.items import Item
from releases.asks import Ask, Planner
from releases.golden import GoldenPage
from releases.routes import Routes
from releases.store import ReleaseStore

ROUTES = Routes(
    recognizers={"balanced": ["western", "everything"]},
    writes={"western": ["en", "de"], "everything": ["en", "zh"], "kana": ["ja", "en", "zh"]},
    defaults={"balanced": "everything"},
)


def page(language: str) -> GoldenPage:
    size = {"page_number": 1, "width": 8, "height": 8}
    item = Item(
        item_id=f"page_{language}", path=Path(), kind="page", language=language, full_text="x",
        ignores_case=False, has_reliable_spaces=True, ignored_boxes=(), **size,
        measures=frozenset({"text_bag"}),
    )  # fmt: skip
    return GoldenPage(item, np.zeros((8, 8, 3), np.uint8))


def told(asks: list[Ask]) -> list[tuple[str, tuple[str, ...], str, bool]]:
    return [(a.page.item.language, a.languages, a.recognizer, a.is_new) for a in asks]


def planner(live: Routes | None = ROUTES, candidate: Routes = ROUTES) -> Planner:
    return Planner(candidate, live, lambda codes: page("+".join(codes)))


def test_the_configuration_of_a_release_says_its_routes(store: ReleaseStore) -> None:
    routes = Routes.of(store.models(1))
    assert routes.recognizers["balanced"] == ["text_recognition_latin", "text_recognition"]
    assert routes.ways("balanced") == {
        "text_recognition_latin": ("en",), "text_recognition": ("zh",),
    }  # fmt: skip


def test_every_recognizer_that_serves_has_a_way() -> None:
    ways = ROUTES.ways("balanced")
    assert ways == {"western": ("en",), "everything": ("zh",), "kana": ("ja",)}
    # Of all languages together, or of none: it may be reached by these only.
    writes = {**ROUTES.writes, "everything": [], "kana": ["de", "zh"], "hanzi": ["zh"]}
    routes = replace(ROUTES, recognizers={"balanced": ["western", "hanzi"]}, writes=writes)
    assert routes.ways("balanced") == {
        "western": ("en",), "hanzi": ("zh",), "kana": ("de", "zh"), "everything": (),
    }  # fmt: skip


def test_pages_are_read_in_their_language_and_none_is_missed() -> None:
    asks = planner().plan([page("en"), page("de"), page("ru")], "balanced")
    assert told(asks) == [
        ("en", ("en",), "western", False),
        ("de", ("de",), "western", False),
        ("ru", (), "everything", False),
        ("en", (), "everything", False),
        ("ja", ("ja",), "kana", False),
    ]


def test_what_the_live_release_refuses_is_new() -> None:
    live = replace(ROUTES, writes={"western": ["en", "de"], "everything": ["en"]})
    assert told(planner(live).plan([page("en"), page("zh")], "balanced")) == [
        ("en", ("en",), "western", False),
        ("zh", ("zh",), "everything", True),
        ("en", (), "everything", False),
        ("ja", ("ja",), "kana", True),
    ]


def test_a_page_that_nobody_writes_is_read_only_to_compare() -> None:
    assert told(planner(None).plan([page("ru")], "balanced")) == [
        ("en", ("en",), "western", True),
        ("zh", ("zh",), "everything", True),
        ("ja", ("ja",), "kana", True),
    ]


@pytest.mark.parametrize(
    ("candidate", "lost"),
    [
        (ROUTES, []),
        (replace(ROUTES, writes={"western": ["en", "de", "fr"]}), ["language zh", "language ja"]),
        (replace(ROUTES, recognizers={}, defaults={}), ["strategy balanced"]),
    ],
)
def test_what_a_candidate_refuses_that_was_read_is_lost(candidate: Routes, lost) -> None:
    assert candidate.lost(ROUTES) == lost

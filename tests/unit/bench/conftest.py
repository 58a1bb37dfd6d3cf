"""Items to measure with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.items import Item

MakeItem = Callable[..., Item]


@pytest.fixture
def make_item() -> MakeItem:
    def make(full_text: str = "", **changes) -> Item:
        fields = {
            "item_id": "a",
            "path": Path("a.png"),
            "page_number": 1,
            "kind": "page",
            "language": "en",
            "width": 100,
            "height": 100,
            "full_text": full_text,
            "ignores_case": False,
            "has_reliable_spaces": True,
            "ignored_boxes": (),
            "measures": frozenset({"text_bag", "cer"}),
        }
        return Item(**(fields | changes))

    return make

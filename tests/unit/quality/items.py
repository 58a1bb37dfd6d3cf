"""Items to measure with."""

from pathlib import Path

from quality.items import Item


def make_item(full_text: str = "", **changes) -> Item:
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

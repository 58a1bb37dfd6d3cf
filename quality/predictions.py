"""What an engine answered for a page, in a form that every engine shares."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypedDict

from quality.items import Box


class LineDict(TypedDict, total=False):
    """A line as JSON: `text` always; `box` in the page's frame; `confidence` 0 to 1."""

    text: str
    box: list[float] | None
    confidence: float


@dataclass(frozen=True)
class Line:
    """One line of text; ``box`` in the frame of its item, ``None`` if the engine gives none."""

    text: str
    box: Box | None = None
    confidence: float = 1.0

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> "Line":
        """Return the line of a `LineDict`."""
        box = line.get("box")
        return cls(
            text=line["text"],
            box=(box[0], box[1], box[2], box[3]) if box else None,
            confidence=line.get("confidence", 1.0),
        )

    def scaled(self, x_scale: float, y_scale: float) -> "Line":
        """Return the line in a frame of another size."""
        if self.box is None:
            return self
        x0, y0, x1, y1 = self.box
        box = (x0 * x_scale, y0 * y_scale, x1 * x_scale, y1 * y_scale)
        return replace(self, box=box)

    def to_dict(self) -> LineDict:
        """Return the line as JSON can hold it."""
        box = list(self.box) if self.box else None
        return {"text": self.text, "box": box, "confidence": self.confidence}


# An item that an engine declines (a language it does not write) is None.
Predictions = Mapping[str, list[Line] | None]


def load_predictions(path: Path) -> dict[str, list[Line] | None]:
    """Return the predictions of a JSON object ``{item id: [line, …] or null}``."""
    answers = json.loads(path.read_text(encoding="utf-8"))
    return {
        item_id: None if lines is None else [Line.from_dict(line) for line in lines]
        for item_id, lines in answers.items()
    }

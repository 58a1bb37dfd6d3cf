"""How well predicted text fits a page's truth: bag-of-words F1 and character error rate."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rapidfuzz.distance import Levenshtein

from quality.items import Box, Item
from quality.predictions import Line, Predictions

# One spelling for what a reader does not tell apart; soft hyphens vanish.
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u0060\u02bc", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-")
    | {"\u00ad": ""}
)
# Bullets, geometric shapes and check boxes are drawn, not written.
_DRAWN = re.compile("[\u2022\u2023\u2043\u2219\u00b7\u25a0-\u25ff\u2610-\u2612]")


@dataclass(frozen=True)
class ItemScore:
    """One page's figures: counted tokens, and edits where reading order can be trusted.

    Tokens are words, or characters where the truth's spaces are not reliable. ``edits`` and
    ``characters`` are ``None`` for an item without the measure `cer`. A page that was not
    answered scores as an empty one.
    """

    item_id: str
    kind: str
    language: str
    answered: bool
    matched: int
    predicted: int
    expected: int
    edits: int | None
    characters: int

    @property
    def f1(self) -> float:
        """Harmonic mean of the tokens' precision and recall; 1 for a blank page read as blank."""
        return _f1(self.matched, self.predicted, self.expected)

    @property
    def cer(self) -> float | None:
        """Edits per character of the truth; ``None`` without the measure `cer`."""
        return None if self.edits is None else self.edits / max(self.characters, 1)


@dataclass(frozen=True)
class Summary:
    """Figures over several pages: means of the pages (macro) and of all tokens (micro)."""

    pages: int
    unanswered: int
    f1_macro: float
    f1_micro: float
    cer_macro: float | None
    cer_micro: float | None


def score(items: Iterable[Item], predictions: Predictions) -> list[ItemScore]:
    """Return the score of every item with the measure `text_bag` that has a prediction."""
    scored = (item for item in items if "text_bag" in item.measures and item.item_id in predictions)
    return [score_item(item, predictions[item.item_id]) for item in scored]


def score_item(item: Item, lines: Sequence[Line] | None) -> ItemScore:
    """Return the score of one page's lines, given in reading order; ``None``: not answered."""
    kept = [line.text for line in lines or () if not _is_ignored(line, item.ignored_boxes)]
    predicted = _prepare("\n".join(kept), item)
    expected = _prepare(item.full_text, item)
    bag, truth = Counter(_tokens(predicted, item)), Counter(_tokens(expected, item))
    has_cer = "cer" in item.measures
    return ItemScore(
        item_id=item.item_id,
        kind=item.kind,
        language=item.language,
        answered=lines is not None,
        matched=(bag & truth).total(),
        predicted=bag.total(),
        expected=truth.total(),
        edits=Levenshtein.distance(predicted, expected) if has_cer else None,
        characters=len(expected),
    )


def summarize(scores: Sequence[ItemScore]) -> Summary:
    """Return the figures over all given pages (there must be one)."""
    rates = [s.cer for s in scores if s.cer is not None]
    edits = sum(s.edits for s in scores if s.edits is not None)
    characters = sum(s.characters for s in scores if s.edits is not None)
    return Summary(
        pages=len(scores),
        unanswered=sum(not s.answered for s in scores),
        f1_macro=fmean(s.f1 for s in scores),
        f1_micro=_f1(
            sum(s.matched for s in scores),
            sum(s.predicted for s in scores),
            sum(s.expected for s in scores),
        ),
        cer_macro=fmean(rates) if rates else None,
        cer_micro=edits / max(characters, 1) if rates else None,
    )


def summarize_by(
    scores: Sequence[ItemScore], key: Callable[[ItemScore], str]
) -> Mapping[str, Summary]:
    """Return a summary for each value of the key, in the order of their first appearance."""
    groups: dict[str, list[ItemScore]] = {}
    for item_score in scores:
        groups.setdefault(key(item_score), []).append(item_score)
    return {name: summarize(group) for name, group in groups.items()}


def normalize(text: str) -> str:
    """Return the text with one spelling for what readers do not tell apart.

    NFKC, straight quotes, one dash, no soft hyphens, no bullets and check boxes, and single
    spaces for all runs of white space.
    """
    # Before NFKC too: it would turn a spacing acute accent into a space and a combining mark.
    same = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)
    return " ".join(_DRAWN.sub(" ", same).split())


def _prepare(text: str, item: Item) -> str:
    normalized = normalize(text)
    if item.ignores_case:
        normalized = normalized.casefold()
    return normalized if item.has_reliable_spaces else normalized.replace(" ", "")


def _tokens(text: str, item: Item) -> Sequence[str]:
    return text.split() if item.has_reliable_spaces else text


def _is_ignored(line: Line, regions: Sequence[Box]) -> bool:
    if line.box is None:
        return False
    x = (line.box[0] + line.box[2]) / 2
    y = (line.box[1] + line.box[3]) / 2
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in regions)


def _f1(matched: int, predicted: int, expected: int) -> float:
    if predicted + expected == 0:
        return 1.0
    return 2 * matched / (predicted + expected)

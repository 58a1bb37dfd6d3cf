"""Whether a candidate may go live: its figures on the golden pages beside those of the live one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel

from quality.scoring import summarize, summarize_by
from releases.limits import GateLimits
from releases.reading import Answer, Compared


class Figures(BaseModel):
    """What a release made of golden pages.

    Attributes:
        f1: Of words, over all pages together; also by language.
        cer: Edits per character, over the pages whose order can be trusted.
        boxes: Lines found.
        p95_seconds: For a page, one at a time.
    """

    pages: int
    f1: float
    f1_by_language: dict[str, float]
    cer: float | None
    boxes: int
    p95_seconds: float


class Group(BaseModel):
    """What both releases made of the same pages, those of a strategy or of its recognizer.

    Attributes:
        recognizer: Of the candidate; None: all pages of the strategy that both were asked.
        languages: That were asked for.
        live: None where the live release takes no such requests.
    """

    strategy: str
    recognizer: str | None = None
    languages: list[str] = []
    candidate: Figures
    live: Figures | None = None

    @property
    def name(self) -> str:
        """What a report calls it."""
        is_new = self.recognizer is not None and self.live is None
        asked = f" ({', '.join(self.languages)})" if is_new and self.languages else ""
        return ", ".join(filter(None, (self.strategy, self.recognizer))) + asked


def groups_of(strategy: str, compared: Sequence[Compared]) -> list[Group]:
    """Return the figures of a strategy, then of each of its recognizers."""
    known = [c for c in compared if c.live is not None]
    groups = [_group(strategy, None, known)] if known else []
    for name in dict.fromkeys(c.ask.recognizer for c in compared):
        of_it = [c for c in compared if c.ask.recognizer == name]
        parts = ([c for c in of_it if c.live], [c for c in of_it if not c.live])
        groups += [_group(strategy, name, part) for part in parts if part]
    return groups


def _group(strategy: str, recognizer: str | None, compared: Sequence[Compared]) -> Group:
    before = [c.live for c in compared if c.live is not None]
    return Group(
        strategy=strategy,
        recognizer=recognizer,
        languages=list(dict.fromkeys(code for c in compared for code in c.ask.languages)),
        candidate=_figures([c.candidate for c in compared]),
        live=_figures(before) if before else None,
    )


def _figures(answers: Sequence[Answer]) -> Figures:
    scores = [answer.score for answer in answers]
    summary = summarize(scores)
    by_language = summarize_by(scores, lambda score: score.language)
    return Figures(
        pages=summary.pages,
        f1=round(summary.f1_micro, 4),
        f1_by_language={name: round(s.f1_micro, 4) for name, s in by_language.items()},
        cer=None if summary.cer_micro is None else round(summary.cer_micro, 4),
        boxes=sum(answer.lines for answer in answers),
        p95_seconds=round(float(np.percentile([answer.seconds for answer in answers], 95)), 3),
    )


def find_faults(groups: Sequence[Group], limits: GateLimits) -> list[str]:
    """Return why a candidate may not go live, group by group; empty: it may."""
    return [f"{group.name}: {fault}" for group in groups for fault in _faults(group, limits)]


def _faults(group: Group, limits: GateLimits) -> list[str]:
    if group.live is None:
        return _absolute_faults(group.candidate, limits)
    if group.recognizer is None:
        return _strategy_faults(group.candidate, group.live, limits)
    return _loss(group.candidate, group.live, "--recognizer-loss", limits.recognizer_loss)


def _absolute_faults(new: Figures, limits: GateLimits) -> list[str]:
    low = new.f1 < limits.least_f1
    return [f"F1 {new.f1:.4f} is below {limits.least_f1} (--least-f1)"] if low else []


def _loss(new: Figures, old: Figures, option: str, allowed: float) -> list[str]:
    told = f"F1 {new.f1:.4f}, live {old.f1:.4f} ({option} {allowed})"
    return [told] if new.f1 < old.f1 - allowed else []


def _strategy_faults(new: Figures, old: Figures, limits: GateLimits) -> list[str]:
    faults = _loss(new, old, "--f1-loss", limits.f1_loss)
    for language, before in old.f1_by_language.items():
        after = new.f1_by_language[language]
        if after < before - limits.language_loss:
            told = f"(--language-loss {limits.language_loss})"
            faults.append(f"F1 of {language} {after:.4f}, live {before:.4f} {told}")
    if new.cer is not None and old.cer is not None and new.cer > old.cer + limits.cer_gain:
        faults.append(f"CER {new.cer:.4f}, live {old.cer:.4f} (--cer-gain {limits.cer_gain})")
    if abs(new.boxes - old.boxes) > limits.boxes_share * old.boxes:
        faults.append(f"{new.boxes} lines, live {old.boxes} (--boxes-share {limits.boxes_share})")
    if new.p95_seconds > limits.slower * old.p95_seconds:
        faults.append(
            f"p95 {new.p95_seconds:.2f} s, live {old.p95_seconds:.2f} s (--slower {limits.slower})"
        )
    return faults

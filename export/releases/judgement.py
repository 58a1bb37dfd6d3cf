"""Whether a candidate may go live: its figures on the golden pages beside those of the live one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import BaseModel

from bench.scoring import summarize, summarize_by
from export.releases.golden import Reading
from export.releases.limits import GateLimits


class Figures(BaseModel):
    """What a release made of the golden pages with one strategy.

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


def figures_of(reading: Reading) -> Figures:
    """Sum a reading up."""
    summary = summarize(reading.scores)
    by_language = summarize_by(reading.scores, lambda score: score.language)
    return Figures(
        pages=summary.pages,
        f1=round(summary.f1_micro, 4),
        f1_by_language={name: round(s.f1_micro, 4) for name, s in by_language.items()},
        cer=None if summary.cer_micro is None else round(summary.cer_micro, 4),
        boxes=reading.boxes,
        p95_seconds=round(float(np.percentile(reading.seconds, 95)), 3),
    )


def find_faults(
    candidate: Mapping[str, Figures], live: Mapping[str, Figures], limits: GateLimits
) -> list[str]:
    """Return why a candidate may not go live, strategy by strategy; empty: it may."""
    return [
        f"{strategy}: {fault}"
        for strategy, figures in candidate.items()
        for fault in _faults(figures, live.get(strategy), limits)
    ]


def _faults(new: Figures, old: Figures | None, limits: GateLimits) -> list[str]:
    if old is None:
        low = new.f1 < limits.least_f1
        return [f"F1 {new.f1:.4f} is below {limits.least_f1} (--least-f1)"] if low else []
    faults = []
    if new.f1 < old.f1 - limits.f1_loss:
        faults.append(f"F1 {new.f1:.4f}, live {old.f1:.4f} (--f1-loss {limits.f1_loss})")
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

"""How much worse than the live release a candidate may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, Field


class GateLimits(BaseModel):
    """On golden pages; every one is an option of `release gate`."""

    f1_loss: float = Field(0.005, description="how much lower F1 of words may be")
    language_loss: float = Field(0.05, description="the same for any one language")
    cer_gain: float = Field(0.005, description="how much higher the character error rate may be")
    boxes_share: float = Field(0.1, description="share of lines that may be more or fewer")
    slower: float = Field(1.5, description="times the live release's p95 for a page")
    least_f1: float = Field(0.8, description="F1 where nothing is live to compare with")


@dataclass(frozen=True)
class CanaryLimits:
    """On real traffic.

    Attributes:
        seconds: How long it is watched.
        failed_share: Of its pages.
        slower: Times the live release's mean for a page, over the same time.
        different_share: Of the pages that were read by both.
        services: Base addresses of the front services, which know the last one.
    """

    seconds: float
    failed_share: float = 0.02
    slower: float = 2.0
    different_share: float = 0.1
    services: Sequence[str] = ()

"""How much worse than the live release a candidate may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[float, Field(gt=0)]


class GateLimits(BaseModel):
    """On golden pages; every one is an option of `releases gate`."""

    model_config = ConfigDict(allow_inf_nan=False, extra="forbid")

    f1_loss: Share = Field(0.005, description="how much lower F1 of a strategy's words may be")
    recognizer_loss: Share = Field(0.03, description="the same for any one recognizer's pages")
    language_loss: Share = Field(0.05, description="the same for any one language")
    cer_gain: Share = Field(0.005, description="how much higher the character error rate may be")
    boxes_share: Share = Field(0.1, description="share of lines that may be more or fewer")
    slower: Times = Field(1.5, description="times the live release's p95 for a page")
    least_f1: Share = Field(0.8, description="F1 where nothing live takes such requests")


@dataclass(frozen=True)
class CanaryLimits:
    """On real traffic.

    Attributes:
        seconds: How long it is watched.
        failed_share: Of its pages.
        slower: Times the live release's mean for a page, over the same time.
        different_share: Of the pages that were read by both.
        least_pages: Means and shares of fewer say nothing.
        services: Base addresses of the front services, which know the last one.
    """

    seconds: float = 60.0
    failed_share: float = 0.02
    slower: float = 2.0
    different_share: float = 0.1
    least_pages: int = 10
    services: Sequence[str] = ()

"""How a document may be read, and how it is where a request does not say."""

from typing import Literal, get_args

Strategy = Literal["speed", "balanced", "accuracy"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
DEFAULT_STRATEGY: Strategy = "balanced"

Enhancement = Literal["none", "auto", "light", "moderate", "aggressive"]
TextLayer = Literal["ignore", "auto", "only"]

CONFIDENCE_THRESHOLD = 0.5
"""Lines under it are left out."""

PAGE_DPI = 120
"""At which the pages of a PDF are drawn, unless a strategy draws them finer."""

_FINER = {"accuracy": 200}


def page_dpi(strategy: str, least: int = PAGE_DPI) -> int:
    """Return at how many dots per inch a strategy reads the pages of a PDF, `least` or more."""
    return max(_FINER.get(strategy, least), least)

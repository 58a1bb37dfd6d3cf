"""Makes a page easier to read; docs/enhancement.md has the levels and their thresholds."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from preprocess_service.pages import enhancement_steps as steps
from preprocess_service.pages.frames import page_frame
from preprocess_service.pages.quality import measure_quality
from preprocess_service.pages.skew import turn_level
from preprocess_service.pages.source import Enhancement, PixelsHwc, Quality, RasterPage

# Larger pages are shrunk before lines are looked for: little would be gained for much memory.
MAX_PIXELS = 40_000_000
# In degrees; less costs the models nothing.
_SKEW_ABOVE = 0.5


@dataclass(frozen=True)
class Recipe:
    """Each step is applied to pages whose measure lies past its threshold; by default never."""

    evens_illumination: bool = False
    contrast_below: float = 0.0
    grain_above: float = inf
    blur_above: float = inf
    skew_above: float = inf


#: `auto` does what a page's measures ask for; the other levels do what they name.
RECIPES = {
    "none": Recipe(),
    "auto": Recipe(contrast_below=0.3, grain_above=0.025, blur_above=1.0),
    "light": Recipe(contrast_below=inf),
    "moderate": Recipe(contrast_below=inf, grain_above=-1, skew_above=0.3),
    "aggressive": Recipe(
        evens_illumination=True, contrast_below=inf, grain_above=-1, blur_above=0, skew_above=0.1
    ),
}


@dataclass(frozen=True)
class _Step:
    name: str
    is_asked_for: Callable[[Quality, Recipe], bool]
    apply: Callable[[PixelsHwc], PixelsHwc]


def _grain(quality: Quality) -> float:
    """Noise as a share of the contrast: how much of it stretching would show."""
    return quality.noise / (255 * quality.contrast) if quality.contrast else 0.0


_STEPS = (
    _Step("illumination", lambda _, recipe: recipe.evens_illumination, steps.even_illumination),
    _Step(
        "contrast", lambda q, recipe: (q.contrast or inf) < recipe.contrast_below,
        steps.stretch_contrast,
    ),
    _Step("denoise", lambda q, recipe: _grain(q) > recipe.grain_above, steps.smooth),
    _Step("sharpen", lambda q, recipe: (q.blur or 0.0) > recipe.blur_above, steps.sharpen),
)  # fmt: skip


def enhance_page(page: RasterPage, level: str, *, deskew: bool = False) -> RasterPage:
    """The page, measured, and enhanced by the recipe of that level; levelled too with `deskew`.

    Blank pages stay as they are, and so do pages of more than `MAX_PIXELS`.
    """
    started = time.perf_counter()
    quality = measure_quality(page.pixels)
    is_fit = quality.contrast is not None and page.pixels_size.is_within(MAX_PIXELS)
    recipe = _recipe(level, deskew=deskew) if is_fit else RECIPES["none"]
    pixels, frame, applied = page.pixels, page.frame, []
    for step in _STEPS:
        if step.is_asked_for(quality, recipe):
            pixels = step.apply(pixels)
            applied.append(step.name)
    if abs(quality.skew or 0.0) > recipe.skew_above:
        pixels, back = turn_level(pixels, quality.skew or 0.0)
        frame = page_frame(page.size, *([frame.to_page] if frame else []), back)
        applied.append("deskew")
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return RasterPage(pixels, page.dpi, Enhancement(quality, tuple(applied), milliseconds), frame)


def _recipe(level: str, *, deskew: bool) -> Recipe:
    recipe = RECIPES[level]
    return replace(recipe, skew_above=min(recipe.skew_above, _SKEW_ABOVE)) if deskew else recipe

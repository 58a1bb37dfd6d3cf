"""What is measured of a page's pixels; docs/enhancement.md defines the figures for callers."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from preprocess_service.pages.pixels import Gray, to_gray
from preprocess_service.pages.skew import measure_skew
from preprocess_service.pages.source import PixelsHwc, Quality

_TILE = 32
_SAMPLE_PIXELS = 4_000_000
# A tile holds something when its gray values spread further than the sigmas of its noise.
_FLAT_LEVELS = 8
_NOISE_SPREAD = 6.5
_FAINT_SHARE = 0.25
_LEAST_GRADIENT = 0.1
# Response of each operator to noise of sigma 1: the sum of its squared weights.
_LAPLACIAN_GAIN = 20.0
_GRADIENT_GAIN = 4.0
_IMMERKAER = np.array([1.0, -2.0, 1.0])
# The operator multiplies sigma by 6; the median of absolute values is 0.6745 of it.
_IMMERKAER_SCALE = 1 / (6 * 0.6745)


def measure_quality(pixels: PixelsHwc) -> Quality:
    """The page's quality; large pages are measured on bands of rows spread over them."""
    bands = [to_gray(band) for band in _sample_bands(pixels)]
    noise = _measure_noise(bands)
    return Quality(
        blur=_rounded(_measure_blur(bands, noise), 2),
        noise=round(noise, 2),
        contrast=_rounded(_measure_contrast(bands, noise), 3),
        skew=_rounded(measure_skew(pixels), 2),
    )


def measure_levels(pixels: PixelsHwc) -> tuple[int, int] | None:
    """Gray values of ink and paper, of the darkest and the lightest tenth; None where blank."""
    bands = [to_gray(band) for band in _sample_bands(pixels)]
    noise = _measure_noise(bands)
    darkest, lightest = _written_tiles(bands, noise)
    if not darkest.size:
        return None
    grain = _NOISE_SPREAD / 2 * noise
    return int(np.quantile(darkest, 0.1) + grain), int(np.quantile(lightest, 0.9) - grain)


def _sample_bands(pixels: PixelsHwc) -> list[PixelsHwc]:
    """The page, or bands of its rows: noise and blur show only at its own resolution."""
    height, width = pixels.shape[:2]
    if height * width <= _SAMPLE_PIXELS:
        return [pixels]
    wanted = max(_SAMPLE_PIXELS // (width * _TILE), 1)
    tops = np.linspace(0, height - _TILE, wanted).astype(int)
    return [pixels[top : top + _TILE] for top in tops]


def _tiles(values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Rows of tiles x rows x columns of tiles x columns; a page smaller than a tile is one."""
    rows, columns = (min(side, _TILE) for side in values.shape)
    down, across = values.shape[0] // rows, values.shape[1] // columns
    return values[: down * rows, : across * columns].reshape(down, rows, across, columns)


def _measure_noise(bands: list[Gray]) -> float:
    """Standard deviation of the grain (Immerkaer 1996), in the quarter of tiles with the least.

    The operator answers to noise, hardly to edges; letters are edges in plenty, so flat tiles
    decide. Of its answers there the median is taken, which single specks do not move.
    """
    tiles = np.concatenate([_tiles(_answer(band)) for band in bands])
    means = tiles.sum(axis=1, dtype=np.int32).sum(axis=2)
    flat = np.nonzero(means <= np.quantile(means, 0.25))
    return float(np.median(tiles.swapaxes(1, 2)[flat][:, ::2, ::2])) * _IMMERKAER_SCALE


def _answer(band: Gray) -> npt.NDArray[np.int16]:
    return np.abs(cv2.sepFilter2D(band, cv2.CV_16S, _IMMERKAER, _IMMERKAER)).astype(np.int16)


def _measure_blur(bands: list[Gray], noise: float) -> float | None:
    """Sigma in pixels of the Gaussian that edges look blurred with; None where there are none.

    Half the gradient's energy over the Laplacian's: exact for a blurred step, whatever its
    contrast and however much is written. That is the variance of the Laplacian (Pech-Pacheco
    2000), normalized. What noise adds to both is taken off.
    """
    pixels = sum(band.size for band in bands)
    gradient = laplacian = 0.0
    for band in bands:
        gradient += _energy(band[:, 1:], band[:, :-1]) + _energy(band[1:], band[:-1])
        laplacian += cv2.norm(cv2.Laplacian(band, cv2.CV_16S), cv2.NORM_L2) ** 2
    gradient -= _GRADIENT_GAIN * noise**2 * pixels
    laplacian -= _LAPLACIAN_GAIN * noise**2 * pixels
    if gradient < max(_LEAST_GRADIENT, noise**2) * pixels or laplacian <= 0:
        return None
    return math.sqrt(gradient / (2 * laplacian))


def _energy(one: Gray, other: Gray) -> float:
    return cv2.norm(one, other, cv2.NORM_L2) ** 2 if one.size else 0.0


def _measure_contrast(bands: list[Gray], noise: float) -> float | None:
    """Darkest to lightest of a tile that holds something, the median, less what noise adds.

    Tiles, because percentiles of the whole page miss a few lines on it and mistake a shadow
    across it for contrast.
    """
    darkest, lightest = _written_tiles(bands, noise)
    if not darkest.size:
        return None
    return min((float(np.median(lightest - darkest)) - _NOISE_SPREAD * noise) / 255, 1.0)


def _written_tiles(
    bands: list[Gray], noise: float
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Darkest and lightest values of the tiles that hold something."""
    stacks = [_tiles(band) for band in bands]
    darkest = np.concatenate([tiles.min(axis=1).min(axis=2).ravel() for tiles in stacks])
    lightest = np.concatenate([tiles.max(axis=1).max(axis=2).ravel() for tiles in stacks])
    spreads = lightest.astype(np.int16) - darkest - _NOISE_SPREAD * noise
    # Compression leaves faint specks on paper; they are no ink.
    faint = max(_FLAT_LEVELS, _FAINT_SHARE * float(np.quantile(spreads, 0.95)))
    written = spreads > faint
    return darkest[written].astype(np.int16), lightest[written].astype(np.int16)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0  # no -0.0

"""Crops grouped by width, so that Triton's batcher can merge them across pages and requests."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Chunk:
    """Crops (by index) that travel in one request, and the width that they are padded to."""

    width: int
    indices: tuple[int, ...]


def group_by_width(
    crop_widths: Sequence[int], bucket_widths: Sequence[int], max_crops: int
) -> list[Chunk]:
    """Return chunks of at most `max_crops` crops, the widest first: they take longest.

    Args:
        crop_widths: Widths in pixels, none above the widest bucket.
        bucket_widths: Ascending.
        max_crops: Triton refuses a request above the model's `max_batch_size`.
    """
    buckets: dict[int, list[int]] = {}
    for index, width in enumerate(crop_widths):
        bucket = bucket_widths[bisect.bisect_left(bucket_widths, width)]
        buckets.setdefault(bucket, []).append(index)
    return [
        Chunk(width, tuple(indices[start : start + max_crops]))
        for width, indices in sorted(buckets.items(), reverse=True)
        for start in range(0, len(indices), max_crops)
    ]

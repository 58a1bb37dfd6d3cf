"""Images of known kinds with bytes changed: tags of TIFF and EXIF, sizes, offsets."""

import io
import tempfile
import warnings
from contextlib import closing
from functools import cache
from pathlib import Path

import numpy as np
from decode_image import UndecodableImageError, decode_image
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from preprocess_service.pages.failures import document_error
from preprocess_service.pages.image_source import ImageSource
from preprocess_service.pages.source import PageSize, RasterPage, RasterRequest
from preprocess_service.problem import ServiceError

MOST_PIXELS = 200_000
MEDIA_TYPES = {"TIFF": "image/tiff", "JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}
KINDS = [
    ("TIFF", "RGB", {}), ("TIFF", "1", {"compression": "group4"}), ("TIFF", "I;16", {}),
    ("TIFF", "F", {}), ("TIFF", "P", {"compression": "tiff_lzw"}), ("JPEG", "L", {}),
    ("JPEG", "CMYK", {}), ("PNG", "LA", {}), ("PNG", "P", {}), ("GIF", "P", {}),
]  # fmt: skip
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 600),
        st.sampled_from([0, 1, 2, 3, 4, 7, 8, 127, 128, 255]) | st.integers(0, 255),
    ),
    max_size=6,
)


@cache
def drawn(kind: int) -> bytes:
    image_format, mode, options = KINDS[kind]
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "of a camera"
    target = io.BytesIO()
    values = np.arange(24 * 17, dtype=np.uint8).reshape(17, 24)
    image = Image.fromarray(values.astype(np.float32)) if mode == "F" else Image.fromarray(values)
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16) * 200)
    elif mode not in ("F", "L"):
        image = image.convert(mode)
    image.save(target, image_format, exif=exif, **options)
    return target.getvalue()


def damaged(kind: int, changes: list[tuple[int, int]], cut: int) -> bytes:
    data = bytearray(drawn(kind))
    for place, value in changes:
        data[place % len(data)] = value
    return bytes(data[: len(data) - cut])


FILES = st.builds(damaged, st.integers(0, len(KINDS) - 1), CHANGES, st.integers(0, 30))


@given(data=FILES | st.binary(max_size=300))
def test_a_direct_clients_image_is_pixels_or_refused(data: bytes) -> None:
    try:
        pixels, _ = decode_image(data, MOST_PIXELS)
    except UndecodableImageError:
        return
    assert (pixels.ndim, pixels.dtype) == (3, np.uint8)
    assert pixels.shape[2] in (1, 3)
    assert 0 < pixels.shape[0] * pixels.shape[1] <= MOST_PIXELS


@given(kind=st.integers(0, len(KINDS) - 1), changes=CHANGES, cut=st.integers(0, 30))
def test_an_uploaded_image_is_pages_or_refused(
    kind: int, changes: list[tuple[int, int]], cut: int
) -> None:
    request = RasterRequest("a", MEDIA_TYPES[KINDS[kind][0]], 120, 9, MOST_PIXELS)
    with tempfile.NamedTemporaryFile() as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.write(damaged(kind, changes, cut))
        file.flush()
        outcome = read_all(Path(file.name), request)
    if isinstance(outcome, ServiceError):
        assert outcome.status in {413, 422}, outcome.detail
    for size, page in outcome if isinstance(outcome, list) else []:
        assert page.pixels.dtype == np.uint8
        assert sorted(page.pixels.shape[:2]) == sorted((size.width, size.height))
        assert page.pixels.size <= 3 * MOST_PIXELS
        assert 30 <= page.dpi <= 2400


def read_all(
    path: Path, request: RasterRequest
) -> list[tuple[PageSize, RasterPage]] | ServiceError:
    """Sizes and pixels of the first frames, or what its caller is told."""
    try:
        with closing(ImageSource(path, request)) as source:
            frames = range(min(source.page_count, 3))
            return [(source.size(index), source.render(index)) for index in frames]
    except Exception as error:  # noqa: BLE001 - as the process of the rasterizer answers for it
        return document_error(error)


def test_undamaged_ones_are_read() -> None:
    for kind, (image_format, mode, _) in enumerate(KINDS):
        assert decode_image(drawn(kind), MOST_PIXELS)[0].size, (image_format, mode)

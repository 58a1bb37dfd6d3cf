"""Images of more pixels than are read: what is read smaller, where its lines lie, what is not."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageOps

from preprocess_service.document import Line
from preprocess_service.errors import PageTooLargeError
from preprocess_service.inference.engine import PageReading
from preprocess_service.options import OcrOptions
from preprocess_service.pages import reduction
from preprocess_service.pages.enhance import enhance_page
from preprocess_service.pages.image_source import ImageSource
from preprocess_service.pages.media_types import HEAD_BYTES, sniff_media_type
from preprocess_service.pages.pixels import to_pixels
from preprocess_service.pages.source import PageSize, RasterRequest
from preprocess_service.reading.assembly import assemble_page
from preprocess_service.reading.rasterizer import PROGRAM, Rasterizer
from preprocess_service.sandbox.pool import SandboxPool
from preprocess_service.sandbox.processor_time import ProcessorTime
from preprocess_service.searchable.writer import write_searchable
from tests.unit.preprocess_service.formatting.documents import line, page

ENOUGH = ProcessorTime(document_seconds=60, page_seconds=2)
WIDTH, HEIGHT = 1001, 603
BAR = (300, 100, 700, 140)  # left, top, right, bottom
MAX_PIXELS = 220_000  # a third of the picture's
TOO_LARGE = "1001 by 603"


def _picture(mode="RGB"):
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    left, top, right, bottom = BAR
    ImageDraw.Draw(picture).rectangle((left, top, right - 1, bottom - 1), fill=0)
    return picture.convert(mode)


def _request(file, **more):
    media_type = sniff_media_type(os.pread(file.fileno(), HEAD_BYTES, 0))
    return RasterRequest("a", media_type, 120, max_pages=10, max_pixels=MAX_PIXELS, **more)


def _open(file, **more):
    return ImageSource(Path(file.name), replace(_request(file), **more))


def _read_bar(raster):
    """The page as the service answers it, with one line: the bar, where its pixels show it."""
    rows, columns = np.nonzero(raster.pixels[:, :, 0] < 128)
    x0, y0, x1, y1 = (
        float(value) for value in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    )
    bar = Line(
        text="bar",
        confidence=1.0,
        polygon=((x0, y0), (x1, y0), (x1, y1), (x0, y1)),
        bbox=(x0, y0, x1, y1),
    )
    return assemble_page(0, raster, PageReading((bar,), 0, release=1), OcrOptions())


@pytest.fixture
def save(as_file):
    def saved(image_format, mode="RGB", **options):
        file = as_file(b"")
        _picture(mode).save(file.name, image_format, **options)
        return file

    return saved


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    ("image_format", "mode", "options"),
    [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("JPEG2000", "RGB", {}),
        ("PNG", "L", {}),
        ("PNG", "P", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "L", {}),
        ("GIF", "P", {}),
    ],
)
def test_lines_of_an_image_read_smaller_lie_in_its_own_pixels(
    save, image_format, mode, options, orientation
):
    exif = Image.Exif()
    if turned := orientation == 6 and image_format not in ("JPEG2000", "GIF"):
        exif[0x0112] = orientation
        options = {**options, "exif": exif}
    source = _open(save(image_format, mode, **options))
    width, height = (HEIGHT, WIDTH) if turned else (WIDTH, HEIGHT)
    left, top, right, bottom = BAR
    expected = (HEIGHT - bottom, left, HEIGHT - top, right) if turned else BAR
    for _ in range(2):  # drawn again, it is the same
        raster = source.render(0)
        assert raster.pixels.shape[0] * raster.pixels.shape[1] <= MAX_PIXELS
        assert source.size(0) == PageSize(width, height, 2)
        found = _read_bar(raster)
        assert (found.width, found.height) == (width, height)
        assert found.lines[0].bbox == pytest.approx(expected, abs=2.5)


@pytest.mark.parametrize(
    ("image_format", "mode"), [("PNG", "RGB"), ("BMP", "RGB"), ("WEBP", "RGB"), ("TIFF", "CMYK")]
)
def test_color_that_is_decoded_whole_is_refused(save, image_format, mode):
    with pytest.raises(PageTooLargeError, match=rf"{TOO_LARGE} .*MAX_PIXELS.*JPEG"):
        _open(save(image_format, mode))


def test_gray_beyond_the_memory_of_a_page_in_color_is_refused(save):
    with pytest.raises(PageTooLargeError, match=TOO_LARGE):
        _open(save("PNG", "L"), max_pixels=WIDTH * HEIGHT // 3 - 1)


@pytest.mark.parametrize(("levels", "max_pixels"), [(1, MAX_PIXELS), (2, MAX_PIXELS // 2)])
def test_jpeg_2000_is_read_no_smaller_than_it_was_made_for(save, levels, max_pixels):
    with pytest.raises(PageTooLargeError, match=TOO_LARGE):
        _open(save("JPEG2000", num_resolutions=levels), max_pixels=max_pixels)


def test_jpeg_is_read_at_an_eighth_and_no_smaller(save):
    file, eighth = save("JPEG"), 126 * 76
    assert _open(file, max_pixels=eighth).render(0).pixels.shape == (76, 126, 3)
    with pytest.raises(PageTooLargeError, match=TOO_LARGE):
        _open(file, max_pixels=eighth - 1)


def test_frames_of_a_tiff_are_each_read_as_they_fit(as_file):
    file = as_file(b"")
    small = Image.new("L", (50, 40))
    small.save(file.name, "TIFF", save_all=True, append_images=[_picture("L"), _picture()])
    source = _open(file)
    shapes = [source.render(index).pixels.shape for index in (0, 1, 0)]
    assert shapes == [(40, 50, 1), (302, 501, 1), (40, 50, 1)]
    with pytest.raises(PageTooLargeError, match=TOO_LARGE):
        source.render(2)
    assert source.size(2) == PageSize(WIDTH, HEIGHT)


@pytest.mark.parametrize(("progressive", "shape"), [(False, (603, 1001, 3)), (True, (302, 501, 3))])
def test_jpeg_in_several_scans_is_read_smaller_to_leave_memory(
    save, monkeypatch, progressive, shape
):
    allowed = reduction._WORKING_BYTES + 8 * WIDTH * HEIGHT
    monkeypatch.setattr(reduction, "_allowed_bytes", lambda: allowed)
    source = _open(save("JPEG", progressive=progressive, subsampling=0), max_pixels=10**6)
    assert source.render(0).pixels.shape == shape


def test_jpeg_whose_scans_alone_take_too_much_is_refused(save, monkeypatch):
    monkeypatch.setattr(reduction, "_allowed_bytes", lambda: reduction._WORKING_BYTES)
    with pytest.raises(PageTooLargeError, match=rf"{TOO_LARGE} .*RASTERIZER_MEMORY_MB"):
        _open(save("JPEG", progressive=True))


async def test_a_page_read_smaller_comes_out_of_its_process_with_its_frame(save):
    """The limit of the process is what the largest picture in color takes, and a little."""
    file = save("JPEG")
    rasterizer = Rasterizer(SandboxPool(PROGRAM, 1, 256 << 20, 30, ENOUGH))
    await rasterizer.pool.start()
    try:
        info = await rasterizer.inspect(_request(file), file)
        raster = await rasterizer.render(_request(file), file, 0)
    finally:
        await rasterizer.pool.close()
    assert info.sizes == [PageSize(WIDTH, HEIGHT, 2)]
    assert info.sizes[0].rgb_bytes == raster.pixels.nbytes
    assert _read_bar(raster).lines[0].bbox == pytest.approx(BAR, abs=2.5)


async def test_a_large_color_photo_fits_into_a_process(as_file):
    file = as_file(b"")
    Image.new("RGB", (7000, 6000)).save(file.name, "JPEG")
    request = replace(_request(file), max_pixels=42_000_000)
    rasterizer = Rasterizer(SandboxPool(PROGRAM, 1, 400 << 20, 30, ENOUGH))
    await rasterizer.pool.start()
    try:
        whole = await rasterizer.render(request, file, 0)
        smaller = await rasterizer.render(
            replace(request, document_id="b", max_pixels=4_000_000), file, 0
        )
    finally:
        await rasterizer.pool.close()
    assert (whole.pixels.shape, whole.size) == ((6000, 7000, 3), PageSize(7000, 6000))
    assert (smaller.pixels.shape, smaller.size) == ((1500, 1750, 3), PageSize(7000, 6000))


def test_deskewed_pixels_of_a_page_read_smaller_lead_to_its_own(as_file):
    file = as_file(b"")
    picture = Image.new("L", (1800, 1200), 255)
    draw = ImageDraw.Draw(picture)
    for top in range(150, 1050, 80):
        for left in range(200, 1600, 20):
            draw.rectangle((left, top, left + 11, top + 23), fill=0)
    picture.rotate(-4, Image.Resampling.BICUBIC, fillcolor=255).save(file.name, "JPEG", quality=95)
    read = _open(file, max_pixels=600_000).render(0)
    raster = enhance_page(read, "auto", deskew=True)
    assert raster.enhancement.applied == ("deskew",)
    assert raster.size == PageSize(1800, 1200)
    a, b, c, d, e, f = raster.frame.to_page
    height, width = raster.pixels.shape[:2]
    middle = a * width / 2 + b * height / 2 + c, d * width / 2 + e * height / 2 + f
    assert middle == pytest.approx((900, 600), abs=3)
    assert np.hypot(a, d) == pytest.approx(2, abs=0.01)
    assert np.degrees(np.arctan2(d, a)) == pytest.approx(4, abs=0.15)


@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_searchable_pdf_has_the_size_of_the_page_and_its_picture(save, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = save("JPEG", dpi=(144, 144), exif=exif)
    width, height = (HEIGHT, WIDTH) if orientation == 6 else (WIDTH, HEIGHT)
    read = page(line("found", 100, 200, width=200, height=40), width=width, height=height, dpi=144)
    target = io.BytesIO()
    write_searchable(Path(file.name), _request(file), [read], target)
    with pymupdf.open(stream=target.getvalue()) as pdf:
        assert pdf[0].rect == pymupdf.Rect(0, 0, width / 2, height / 2)
        assert pdf[0].get_text("words")[0][:4] == pytest.approx((50, 100, 150, 120), abs=8)
        seen = np.frombuffer(pdf[0].get_pixmap(dpi=144).samples, np.uint8)
    upright = ImageOps.exif_transpose(Image.open(file.name))
    assert np.abs(seen.reshape(height, width, 3) - np.asarray(upright, np.int16)).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_followed_as_pillow_does(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = io.BytesIO()
    _picture().save(data, "JPEG", exif=exif)
    expected = ImageOps.exif_transpose(Image.open(data))
    assert (to_pixels(Image.open(data)) == np.asarray(expected)).all()

import os
from dataclasses import replace

import numpy as np
import pymupdf
import pytest
from PIL import Image

from preprocess_service.errors import (
    EncryptedDocumentError,
    InvalidDocumentError,
    PageTooLargeError,
    TooManyPagesError,
)
from preprocess_service.pages.source import RasterRequest, clip_text
from preprocess_service.reading.rasterizer_process import RasterizerProgram
from preprocess_service.sandbox import channel

PDF = RasterRequest("a", "application/pdf", dpi=72, max_pages=10, max_pixels=10_000_000)
TIFF = replace(PDF, media_type="image/tiff")


def _inspect(request, file):
    body, fd = RasterizerProgram().inspect(request, file.fileno())
    rows = channel.map_array(fd, (body["rows"], 4), np.int64).tolist()
    os.close(fd)
    return body, rows


def _render(request, file, index=0):
    body, fd = RasterizerProgram().render(request, file.fileno(), index)
    pixels = channel.map_array(fd, tuple(body["shape"]), np.uint8)
    os.close(fd)
    return pixels, body["dpi"]


def test_pdf_tells_pages_sizes_and_metadata(make_pdf, as_file):
    file = as_file(make_pdf("a", "b", title="Report 3"))
    body, rows = _inspect(PDF, file)
    assert rows == [[0, 200, 100, 1], [1, 200, 100, 1]]
    assert (body["page_count"], body["metadata"]["title"]) == (2, "Report 3")


def test_only_pages_asked_for_are_told(make_pdf, as_file):
    body, rows = _inspect(replace(PDF, page_range="2-"), as_file(make_pdf("a", "b", "c")))
    assert ([row[0] for row in rows], body["page_count"]) == ([1, 2], 3)


def test_page_limit_counts_the_pages_asked_for(make_pdf, as_file):
    file, limited = as_file(make_pdf("a", "b", "c")), replace(PDF, max_pages=2)
    with pytest.raises(TooManyPagesError, match=r"3 pages .* 2 .*PDF_MAX_PAGES"):
        _inspect(limited, file)
    assert len(_inspect(replace(limited, page_range="2-3"), file)[1]) == 2


def test_pdf_page_has_the_pixels_of_its_resolution(make_pdf, as_file):
    pixels, dpi = _render(replace(PDF, dpi=144), as_file(make_pdf("text")))
    assert (pixels.shape, dpi) == ((200, 400, 3), 144)
    assert pixels.min() < 100
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_rotation_and_crop_box_are_respected(as_file):
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=200, height=100)
        page.draw_rect((0, 0, 50, 50), fill=(1, 0, 0), color=(1, 0, 0))
        page.set_cropbox((0, 0, 100, 50))
        page.set_rotation(90)
        file = as_file(pdf.tobytes())
    pixels, _ = _render(PDF, file)
    assert pixels.shape == (100, 50, 3)
    assert pixels[25, 25].tolist() == [255, 0, 0]
    assert pixels[75, 25].tolist() == [255, 255, 255]


def test_encrypted_pdf_opens_with_its_password_only(make_pdf, as_file):
    file = as_file(make_pdf("x", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret"))
    with pytest.raises(EncryptedDocumentError, match="give `password`"):
        _inspect(PDF, file)
    with pytest.raises(EncryptedDocumentError, match="does not open it"):
        _inspect(replace(PDF, password="wrong"), file)
    assert _inspect(replace(PDF, password="secret"), file)[0]["page_count"] == 1


def test_owner_password_alone_does_not_matter(make_pdf, as_file):
    file = as_file(make_pdf("x", encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner"))
    assert _inspect(PDF, file)[0]["page_count"] == 1


def test_page_with_too_many_pixels_is_refused_before_it_is_drawn(make_pdf, as_file):
    file = as_file(make_pdf("x", size=(14400, 14400)))
    with pytest.raises(PageTooLargeError, match=r"14400 by 14400 .*MAX_PIXELS"):
        _render(PDF, file)


def test_page_with_too_long_a_side_is_refused(make_pdf, as_file):
    with pytest.raises(PageTooLargeError, match="32766 a side"):
        _render(replace(PDF, dpi=600), as_file(make_pdf("x", size=(14400, 10))))


def test_every_frame_of_a_tiff_is_a_page_with_its_own_size_and_resolution(as_file):
    frames = [Image.new("L", (10 * n, 5), 50 * n) for n in (1, 2, 3)]
    file = as_file(b"")
    frames[0].save(file.name, "TIFF", save_all=True, append_images=frames[1:], dpi=(300, 300))
    assert _inspect(TIFF, file)[1] == [[0, 10, 5, 1], [1, 20, 5, 1], [2, 30, 5, 1]]
    pixels, dpi = _render(TIFF, file, 2)
    assert (pixels.shape, pixels[0, 0].tolist(), dpi) == ((5, 30, 1), [150], 300)


def test_image_without_resolution_reports_the_request_s(make_image, as_file):
    request = replace(PDF, media_type="image/png", dpi=120)
    assert _render(request, as_file(make_image("PNG")))[1] == 120


def test_resolution_that_cannot_be_meant_is_not_reported(make_image, as_file):
    request = replace(PDF, media_type="image/png")
    assert _render(request, as_file(make_image("PNG", dpi=(1, 1))))[1] == 72


def test_image_bomb_is_refused_before_it_is_decoded(make_image, as_file):
    header_alone = as_file(make_image("PNG", size=(2000, 1000))[:45])
    with pytest.raises(PageTooLargeError, match="2000 by 1000"):
        _inspect(replace(PDF, media_type="image/png", max_pixels=1_999_999), header_alone)


@pytest.mark.parametrize("media_type", ["application/pdf", "image/png", "image/jpeg", "image/jp2"])
def test_damaged_document_is_named_so(media_type, as_file):
    with pytest.raises(InvalidDocumentError, match="damaged"):
        _inspect(replace(PDF, media_type=media_type), as_file(b"nothing of the kind"))


def test_document_stays_open_between_pages(make_pdf, as_file):
    rasterizer = RasterizerProgram()
    with as_file(make_pdf("a", "b")) as file:
        os.close(rasterizer.inspect(PDF, file.fileno())[1])
    body, fd = rasterizer.render(PDF, -1, 1)
    os.close(fd)
    assert body["shape"] == (100, 200, 3)


def test_metadata_is_short_and_printable():
    assert clip_text(" a\x00\x1bb\n" + "x" * 5000) == "ab" + "x" * 994

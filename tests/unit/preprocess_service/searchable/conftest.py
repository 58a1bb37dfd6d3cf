import io
from pathlib import Path

import pymupdf
import pytest

from preprocess_service.pages.source import RasterRequest
from preprocess_service.searchable.writer import write_searchable

DPI = 144
PDF = RasterRequest("a", "application/pdf", DPI, max_pages=10, max_pixels=50_000_000)


@pytest.fixture
def write(as_file):
    """What comes out of `write_searchable`, opened."""
    made = []

    def run(data, *pages, request=PDF):
        target = io.BytesIO()
        with as_file(data) as file:
            write_searchable(Path(file.name), request, pages, target)
        made.append(pymupdf.open(stream=target.getvalue(), filetype="pdf"))
        return made[-1]

    yield run
    for pdf in made:
        pdf.close()


@pytest.fixture
def blank_pdf():
    def make(*rotations, crop=None, size=(400, 600)):
        with pymupdf.open() as pdf:
            for rotation in rotations or (0,):
                made = pdf.new_page(width=size[0], height=size[1])
                if crop:
                    made.set_cropbox(crop)
                made.set_rotation(rotation)
            return pdf.tobytes()

    return make

"""What a PDF does and carries is gone from the searchable PDF if that is asked for."""

import io
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from preprocess_service.pages.source import RasterRequest
from preprocess_service.searchable.writer import write_searchable
from tests.odd_files.pdfs import FONT, TEXT, raw_pdf, stream
from tests.unit.preprocess_service.formatting.documents import page

REQUEST = RasterRequest("a", "application/pdf", dpi=72, max_pages=9, max_pixels=10**7)
LAUNCH = b"/S /Launch /F (calc.exe) /Win << /F (calc.exe) >>"
SCRIPT = b"/S /JavaScript /JS (app.alert\\(1\\))"
LINKS = (
    b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << %s >> >> "
    b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /GoTo /D [3 0 R /Fit] "
    b"/Next [<< %s >> 7 0 R] >> >> "
    b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 8 0 R >> 9 0 R" % (LAUNCH, SCRIPT)
)
HOSTILE = raw_pdf([
    b"<< /Type /Catalog /Pages 2 0 R /OpenAction 7 0 R /AA << /WC << %s >> >> /AF [10 0 R] "
    b"/Names << /JavaScript << /Names [(a) 7 0 R] >> /EmbeddedFiles << /Names [(f) 10 0 R] >> >> "
    b"/AcroForm << /Fields [] /XFA 11 0 R >> >>" % SCRIPT,
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 120] /Contents 4 0 R /Resources %s "
    b"/Annots [%s] /AA << /O 7 0 R >> >>" % (FONT, LINKS),
    stream(TEXT),
    b"<< /Type /EmbeddedFile /Length 0 >>",
    b"null",
    b"<< %s >>" % SCRIPT.replace(b"JavaScript", b"Java#53cript"),
    b"<< /S /URI /URI (https://example.org/) >>",
    b"<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 10 0 R >>",
    b"<< /Type /Filespec /F (evil.exe) /EF << /F 12 0 R >> >>",
    stream(b"<xdp:script>evil</xdp:script>"),
    stream(b"MZ-evil-program", b"/Type /EmbeddedFile"),
])  # fmt: skip
SIGNS = (
    b"JavaScript", b"Launch", b"calc.exe", b"app.alert", b"/AA", b"OpenAction", b"evil-program",
    b"xdp:script", b"/EF", b"EmbeddedFiles",
)  # fmt: skip


def _written(path: Path, *, scrub: bool) -> bytes:
    path.write_bytes(HOSTILE)
    target = io.BytesIO()
    read = [page(number=1, width=300, height=120, dpi=72)]
    write_searchable(path, replace(REQUEST, scrub=scrub), read, target)
    with pymupdf.open(stream=target.getvalue()) as pdf:
        return bytes(pdf.tobytes(expand=255, ascii=False))


@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_active_stays_unless_it_is_to_be_left_out(tmp_path, sign):
    assert sign in _written(tmp_path / "a.pdf", scrub=False)
    assert sign not in _written(tmp_path / "a.pdf", scrub=True)


def test_pages_look_as_before_and_links_lead_where_they_led(tmp_path):
    with pymupdf.open(stream=_written(tmp_path / "a.pdf", scrub=True)) as pdf:
        (sheet,) = pdf
        assert sheet.get_text().split() == ["yellow", "window"]
        assert {link.get("uri") for link in sheet.get_links()} >= {"https://example.org/"}
        scrubbed = sheet.get_pixmap(annots=False).samples
    with pymupdf.open(stream=HOSTILE) as pdf:
        assert pdf[0].get_pixmap(annots=False).samples == scrubbed

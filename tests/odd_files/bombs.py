"""Small files that ask for memory or time without end."""

import struct
import zlib
from functools import partial

from tests.odd_files import images
from tests.odd_files.odd_file import OddFile, is_either, is_refused
from tests.odd_files.pdfs import one_page, raw_pdf, stream, usual


def _png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of one bit a pixel that claims to be as large as it likes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _deflated_zeros(count: int, times: int = 1) -> bytes:
    """So many zeros, deflated without ever being in memory whole."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    data = b"".join(packer.compress(block) for _ in range(count >> 20)) + packer.flush()
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def _claimed_gif() -> bytes:
    """A canvas of 65535 by 65535 with one small frame."""
    gif = bytearray(images.drawn("GIF", "P")())
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    return bytes(gif)


def _claimed_tiff(side: int) -> bytes:
    """A TIFF that claims to be a square of that side, and has 64 bytes of it."""
    tags = [(256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8),
            (277, 3, 1), (278, 4, side), (279, 4, 64)]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)
    return b"II*\x00" + struct.pack("<I", 72) + bytes(64) + directory


def _many_frames(count: int) -> bytes:
    frames = [images.page().convert("1").resize((8, 8))] * count
    return images.save(frames[0], "TIFF", save_all=True, append_images=frames[1:])


def _image_bomb(side: int) -> bytes:
    """A gray image that is deflated twice: hundreds of megabytes out of a few hundred bytes."""
    entries = (
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 "
        b"/ColorSpace /DeviceGray /Filter [/FlateDecode /FlateDecode]" % (side, side)
    )
    image = stream(_deflated_zeros(side * side, times=2), entries)
    page = b"/MediaBox [0 0 300 120] /Resources << /XObject << /I 5 0 R >> >>"
    return one_page(page, b"300 0 0 120 0 0 cm /I Do", image)


def _laughing_forms(depth: int, calls: int) -> bytes:
    """Forms that each show the next several times: 10^12 drawings in two thousand bytes."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 300 120] /Resources << /XObject << %s >> >>"
    forms = [
        stream(b"/N Do " * calls, form % (b"/N %d 0 R" % (5 + number)))
        for number in range(1, depth)
    ]
    last = stream(b"0 0 300 120 re f", b"/Type /XObject /Subtype /Form /BBox [0 0 300 120]")
    page = b"/MediaBox [0 0 300 120] /Resources << /XObject << /N 5 0 R >> >>"
    return one_page(page, b"/N Do", *forms, last)


def slow_pages(count: int) -> bytes:
    """Pages that share forms of which each shows the next ten times: none is ever drawn."""
    page = (
        b"<< /Type /Page /Parent 2 0 R /Contents 3 0 R /MediaBox [0 0 300 120] "
        b"/Resources << /XObject << /N %d 0 R >> >> >>" % (4 + count)
    )
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 4 + count))
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 300 120] /Resources << /XObject << %s >> >>"
    forms = [
        stream(b"/N Do " * 10, form % (b"/N %d 0 R" % (5 + count + level))) for level in range(12)
    ]
    return raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        stream(b"/N Do"),
        *[page] * count,
        *forms,
        stream(b"0 0 300 120 re f", form % b""),
    ])  # fmt: skip


def crowded_pages(count: int, words: int) -> bytes:
    """Pages that share one line of so many words of one letter."""
    font = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    page = (
        b"<< /Type /Page /Parent 2 0 R /Contents 3 0 R /MediaBox [0 0 9000 90] /Resources %s >>"
        % font
    )
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 4 + count))
    text = b"BT /F 0.2 Tf 10 50 Td " + b"(a b c d e f g h i j) Tj " * (words // 10) + b"ET"
    return raw_pdf([
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count),
        stream(zlib.compress(text), b"/Filter /FlateDecode"),
        *[page] * count,
    ])  # fmt: skip


def _deep_tree(depth: int) -> bytes:
    nodes = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 1)
        for number in range(2, depth + 2)
    ]
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 300 120] >>" % (depth + 1)
    return raw_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", *nodes, page])


FILES: list[OddFile] = [
    is_refused("mono_30000.png", lambda: _png(30_000, 30_000, _deflated_zeros(112 << 20))),
    is_refused("claims_2e31.png", partial(_png, 2**31 - 1, 2**31 - 1, _deflated_zeros(1 << 20))),
    is_refused("claims_65535.gif", _claimed_gif),
    is_refused("claims_200000.tif", partial(_claimed_tiff, 200_000)),
    is_refused("two_thousand_frames.tif", partial(_many_frames, 2000)),
    is_refused("gzip_bomb.pdf", lambda: b"\x1f\x8b\x08" + _deflated_zeros(64 << 20)),
    is_refused("page_of_a_million_points.pdf", lambda: usual(b"/MediaBox [0 0 1000000 1000000]")),
    is_either("box_of_no_numbers.pdf", lambda: usual(b"/MediaBox [0 0 1e99 -nan]")),
    is_either("image_20000_deflated_twice.pdf", partial(_image_bomb, 20_000)),
    is_refused("laughing_forms.pdf", partial(_laughing_forms, 12, 10)),
    is_either("crowded_pages.pdf", partial(crowded_pages, 20, 20_000), 20),
    is_either("tree_3000_deep.pdf", partial(_deep_tree, 3000)),
]

"""A font without ink for text that is to be found, not seen."""

import struct
import unicodedata

import pymupdf

#: In thousandths of the font size: what a line takes above and below its baseline.
ASCENT, DESCENT = 800, -200
_UNITS_PER_EM = 1000
_MOST_CODES = 0xFFFF
_DEFAULT_ADVANCE = 500
_BLOCK = 100  # as many entries as one `beginbfchar` may hold

_CMAP = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{entries}
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class InvisibleFont:
    """Gives each character that is written a code of its own, and tells readers which it is.

    So every character of Unicode can be written, searched and copied, and the file carries a font
    of a few hundred bytes instead of the fonts of all scripts. Advances follow a real font, so that
    a word is found where it stands in its line.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._advances: dict[str, int] = {}
        self._measure = pymupdf.Font("helv")

    def encode(self, text: str) -> str:
        """The text as a PDF string."""
        return f"<{''.join(f'{self._code(char):04X}' for char in text)}>"

    def width(self, text: str) -> float:
        """The width of the text, in font sizes."""
        return sum(map(self._advance, text)) / _UNITS_PER_EM

    def _advance(self, character: str) -> int:
        if character not in self._advances:
            self._advances[character] = self._measure_advance(character)
        return self._advances[character]

    def embed(self, pdf: pymupdf.Document) -> int:
        """Write the font with all characters encoded so far; its object number."""
        descriptor = _add(
            pdf,
            f"<</Type/FontDescriptor/FontName/Invisible/Flags 4/FontBBox[0 {DESCENT} 1000 {ASCENT}]"
            f"/ItalicAngle 0/Ascent {ASCENT}/Descent {DESCENT}/CapHeight {ASCENT}/StemV 80"
            f"/FontFile2 {_add_stream(pdf, _inkless_truetype())} 0 R>>",
        )
        advances = " ".join(str(self._advance(char)) for char in self._codes)
        to_glyph = _add_stream(pdf, b"\x00\x00" + b"\x00\x01" * len(self._codes))
        descendant = _add(
            pdf,
            "<</Type/Font/Subtype/CIDFontType2/BaseFont/Invisible"
            "/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
            f"/FontDescriptor {descriptor} 0 R/DW {_DEFAULT_ADVANCE}/W[1[{advances}]]"
            f"/CIDToGIDMap {to_glyph} 0 R>>",
        )
        to_unicode = _add_stream(pdf, self._to_unicode().encode("ascii"))
        return _add(
            pdf,
            "<</Type/Font/Subtype/Type0/BaseFont/Invisible/Encoding/Identity-H"
            f"/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R>>",
        )

    def _code(self, character: str) -> int:
        if character not in self._codes and len(self._codes) == _MOST_CODES:
            return 0
        return self._codes.setdefault(character, len(self._codes) + 1)

    def _measure_advance(self, character: str) -> int:
        if unicodedata.combining(character):
            return 0
        if self._measure.has_glyph(ord(character)):
            return round(_UNITS_PER_EM * float(self._measure.glyph_advance(ord(character))))
        is_wide = unicodedata.east_asian_width(character) in "WF"
        return _UNITS_PER_EM if is_wide else _DEFAULT_ADVANCE

    def _to_unicode(self) -> str:
        rows = [
            f"<{code:04X}> <{char.encode('utf-16-be').hex()}>" for char, code in self._codes.items()
        ]
        blocks = [rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK)]
        return _CMAP.format(
            entries="\n".join(
                f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks
            )
        )


def _inkless_truetype() -> bytes:
    """A TrueType font of two glyphs: the missing one is empty, the other a line without width.

    The line says how high a character is: readers that look at outlines would mark nothing.
    """
    glyphs = 2
    on_curve, points = b"\x01", 3
    line = struct.pack(">hhhhhHH", 1, 0, DESCENT, 0, ASCENT, points - 1, 0) + on_curve * points
    line += struct.pack(">hhhhhh", 0, 0, 0, DESCENT, ASCENT - DESCENT, DESCENT - ASCENT)
    line += b"\0" * (-len(line) % 4)
    tables = {
        b"glyf": line,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh",
            0x00010000, 0x00010000, 0, 0x5F0F3CF5, 0, _UNITS_PER_EM, 0, 0,
            0, DESCENT, 1000, ASCENT, 0, 8, 2, 0, 0,
        ),
        b"hhea": struct.pack(
            ">IhhhHhhhhhhhhhhhH",
            0x00010000, ASCENT, DESCENT, 0, 1000, 0, 0, 1000, 1, 0, 0, 0, 0, 0, 0, 0, glyphs,
        ),
        b"hmtx": struct.pack(">Hh", _DEFAULT_ADVANCE, 0) * glyphs,
        b"loca": struct.pack(">HHH", 0, 0, len(line) // 2),
        b"maxp": struct.pack(">IHHHHHHHHHHHHHH", 0x00010000, glyphs, points, 1, 0, 0, 2, *[0] * 8),
    }  # fmt: skip
    return _pack_tables(tables)


def _pack_tables(tables: dict[bytes, bytes]) -> bytes:
    count = len(tables)
    largest = 1 << (count.bit_length() - 1)
    header = struct.pack(
        ">IHHHH", 0x00010000, count, largest * 16, largest.bit_length() - 1, (count - largest) * 16
    )
    directory, body, offset = b"", b"", 12 + 16 * count
    for tag, table in sorted(tables.items()):
        padded = table + b"\0" * (-len(table) % 4)
        checksum = sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
        directory += struct.pack(">4sIII", tag, checksum, offset + len(body), len(table))
        body += padded
    return header + directory + body


def _add(pdf: pymupdf.Document, source: str) -> int:
    number = int(pdf.get_new_xref())
    pdf.update_object(number, source)
    return number


def _add_stream(pdf: pymupdf.Document, data: bytes) -> int:
    number = _add(pdf, f"<</Length1 {len(data)}>>")
    pdf.update_stream(number, data)
    return number

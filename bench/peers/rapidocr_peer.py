"""RapidOCR with the PP-OCRv6 small models of its wheel."""

from importlib.metadata import version

from rapidocr import RapidOCR

from bench.peers.peer import RgbPage
from bench.predictions import Line


class RapidOcrPeer:
    """RapidOCR as its defaults have it, lines under its own threshold of 0.5 left out."""

    def __init__(self, threads: int) -> None:
        self.version = version("rapidocr")
        self._engine = RapidOCR(
            params={
                "Global.log_level": "error",
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            }
        )

    def read(self, page: RgbPage, language: str) -> list[Line]:
        """See `Peer`; one model reads every language."""
        result = self._engine(page[:, :, ::-1])
        if result.boxes is None:
            return []
        return [
            Line(text, (*polygon.min(axis=0).tolist(), *polygon.max(axis=0).tolist()), score)
            for text, polygon, score in zip(
                result.txts, result.boxes, map(float, result.scores), strict=True
            )
        ]

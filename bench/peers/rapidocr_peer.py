"""RapidOCR with the PP-OCRv6 small models of its wheel."""

from importlib.metadata import version

from rapidocr import RapidOCR

from bench.peers.peer import RgbPage
from quality.predictions import Line


class RapidOcrPeer:
    """RapidOCR without its line turner; lines under its own threshold of 0.5 are left out.

    The turner is on by default, but it turns short lines that stand upright: on 41 English pages
    word F1 is better without it, and so is the speed.
    """

    def __init__(self, threads: int) -> None:
        self.version = version("rapidocr")
        self._engine = RapidOCR(
            params={
                "Global.log_level": "error",
                "Global.use_cls": False,
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

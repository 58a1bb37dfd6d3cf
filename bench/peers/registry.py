"""The peers by name: class and settings."""

from typing import Any

# Resolved on choice, so that no peer's libraries are loaded beside another's.
PEERS: dict[str, tuple[str, dict[str, Any]]] = {
    "rapidocr": ("bench.peers.rapidocr_peer:RapidOcrPeer", {}),
    "faster-paddle-tiny": (
        "bench.peers.faster_paddle_peer:FasterPaddlePeer",
        {"model_size": "tiny"},
    ),
    "faster-paddle-small": (
        "bench.peers.faster_paddle_peer:FasterPaddlePeer",
        {"model_size": "small"},
    ),
    "ocrust": ("bench.peers.ocrust_peer:OcrustPeer", {}),
    "tesseract": ("bench.peers.tesseract_peer:TesseractPeer", {}),
}

"""Reads pages with one peer: a JSON line in for each page, a JSON line out.

``python -m bench.peers.worker PEER --threads N`` first says ``{"version": …}`` or
``{"unavailable": …}``. Then each ``{"path", "page", "language"}`` is answered by
``{"lines", "width", "height"}`` (lines as in `quality.predictions`, in pixels of that frame;
``null``: not a language of this peer) or by ``{"error"}``.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TextIO

from bench.peers.page_image import load_page
from bench.peers.peer import Peer, PeerUnavailableError
from bench.peers.registry import PEERS


def main() -> None:
    """Serve the standard streams until the input ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers.worker")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    replies = _take_stdout()
    try:
        peer = _create_peer(options.peer, options.threads)
    except PeerUnavailableError as exc:
        _reply(replies, {"unavailable": str(exc)})
        return
    _reply(replies, {"version": peer.version})
    for request in sys.stdin:
        _reply(replies, _answer(peer, json.loads(request)))


def _create_peer(name: str, threads: int) -> Peer:
    class_path, settings = PEERS[name]
    peer: Peer = resolve_name(class_path)(threads, **settings)
    return peer


def _take_stdout() -> TextIO:
    """Return the standard output for replies; what engines print goes to standard error."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _reply(replies: TextIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _answer(peer: Peer, request: dict[str, Any]) -> dict[str, Any]:
    try:
        page = load_page(Path(request["path"]), request["page"])
        lines = peer.read(page, request["language"])
    except Exception as exc:  # noqa: BLE001 - a page that an engine fails on is a result
        return {"error": f"{type(exc).__name__}: {exc}"}
    height, width = page.shape[:2]
    answer = None if lines is None else [line.to_dict() for line in lines]
    return {"lines": answer, "width": width, "height": height}


if __name__ == "__main__":
    main()

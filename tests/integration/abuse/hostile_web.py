"""A host whose documents have no end, and a receiver that is never done answering."""

import contextlib
import gzip
import http.server
import itertools
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.drawing import draw_pdf, sentence

_TAIL = bytes(1 << 16)


class HostileWeb:
    """Where it is, and how many of its receivers are busy.

    Attributes:
        url: Without a slash at the end.
        dripping: Deliveries that are being answered byte by byte now.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.dripping = 0
        self._drips = threading.Event()

    @contextmanager
    def drip(self) -> Iterator[None]:
        """Answer deliveries byte by byte until the block ends; before and after none is wanted."""
        self._drips.set()
        try:
            yield
        finally:
            self._drips.clear()

    def pieces_of(self, path: str) -> Iterator[bytes]:
        """A document in gzip that goes on behind its end, or that is 4 GB of nothing."""
        if path == "/tail":
            yield gzip.compress(draw_pdf([[sentence(3)]]))
            yield from itertools.repeat(_TAIL)
        packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
        yield packer.compress(b"%PDF-1.7\n")
        for _ in range(4 << 10):
            yield packer.compress(_TAIL * 16)

    def answer_delivery(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Say byte by byte that it was received, or at once that nothing more is wanted."""
        if not self._drips.is_set():
            handler.send_error(410)
            return
        self.dripping += 1
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while self._drips.is_set():
                handler.wfile.write(b"x")
                time.sleep(0.2)
        finally:
            self.dripping -= 1


@contextmanager
def hostile_web(port: int) -> Iterator[HostileWeb]:
    """Serve it at that port of this machine."""
    web = HostileWeb(port)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            with contextlib.suppress(OSError):
                for piece in web.pieces_of(self.path):
                    self.wfile.write(piece)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            with contextlib.suppress(OSError):
                web.answer_delivery(self)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield web
        server.shutdown()

"""A real HTTP server that misbehaves in every way that a test asks for."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class MisbehavingHandler(BaseHTTPRequestHandler):
    """What a path answers is in the method of its name."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))  # type: ignore[attr-defined]
        name, _, argument = self.path.lstrip("/").partition("/")
        with suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, f"_{name}")(argument)

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hello(self, _: str) -> None:
        self._answer(200, b"hello")

    def _status(self, status: str) -> None:
        self._answer(int(status))

    def _cookie(self, _: str) -> None:
        self._answer(302, Location="/hello", Set_Cookie="a=b; Path=/")

    def _to(self, location: str) -> None:
        self._answer(302, Location=location)

    def _chain(self, left: str) -> None:
        self._answer(302, Location=f"/chain/{int(left) - 1}" if int(left) else "/hello")

    def _gzipped(self, _: str) -> None:
        self._answer(200, gzip.compress(b"hello" * 100_000), Content_Encoding="gzip")

    def _bomb(self, _: str) -> None:
        self._answer(200, gzip.compress(bytes(64 << 20)), Content_Encoding="gzip")

    def _cut_gzip(self, _: str) -> None:
        self._answer(200, gzip.compress(b"hello")[:-9], Content_Encoding="gzip")

    def _gzip_and_more(self, _: str) -> None:
        self._gzip_without_end(gzip.compress(b"hello"), bytes(1 << 16))

    def _gzip_of_nothing(self, _: str) -> None:
        # Blocks without a byte in them: whatever comes, nothing comes out.
        self._gzip_without_end(gzip.compress(b"")[:10], b"\0\0\0\xff\xff" * (1 << 14))

    def _gzip_without_end(self, start: bytes, more: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(start)
        while True:
            self.wfile.write(more)

    def _odd_encoding(self, _: str) -> None:
        self._answer(200, b"hello", Content_Encoding="br")

    def _endless(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 16))

    def _slow(self, _: str) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.server.stopping.wait(0.05):  # type: ignore[attr-defined]
            self.wfile.write(b"x")
            self.wfile.flush()

    def _short(self, _: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"hello")
        self.close_connection = True


class Server(ThreadingHTTPServer):
    """Remembers path and headers of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MisbehavingHandler)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.stopping = threading.Event()
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.stopping.set()
        server.shutdown()
        thread.join()

"""A web server on loopback that serves files, ranges of them, and the indexes of two archives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, urlsplit


class Server(ThreadingHTTPServer):
    daemon_threads = True
    files: dict[str, bytes]
    """Path -> content; `/cdx/search/cdx?key` for the page of an index with that resume key."""
    moved: dict[str, str]
    robots: bytes
    breaks_at: int | None
    """Where connections break, once."""
    asked: list[str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of the server."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = cast(Server, self.server)
        server.asked.append(self.path)
        parts = urlsplit(self.path)
        key = parse_qs(parts.query).get("resumeKey", [""])[0]
        path = f"{parts.path}?{key}" if key else parts.path
        if path == "/robots.txt":
            self._send(200, server.robots)
        elif path in server.moved:
            self.send_response(302)
            self.send_header("Location", server.moved[path])
            self.end_headers()
        elif path in server.files:
            self._file(server, server.files[path])
        else:
            self._send(404, b"no such file")

    def _file(self, server: Server, content: bytes) -> None:
        wanted = self.headers.get("Range", "")
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            content = content[int(first) : int(last) + 1 if last else None]
        self._send(206 if wanted else 200, content, cut=server.breaks_at)

    def _send(self, status: int, content: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Handler)
    server.files, server.moved, server.robots, server.breaks_at, server.asked = files, {}, b"", None, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wayback_page(captures: list[tuple[str, str]], resume: str | None = None) -> bytes:
    """A page of Wayback's index: (time, address) of each capture."""
    rows: list[list[str]] = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
    rows += [[url, time, url, "text/html", "200", f"D{number}", "9"] for number, (time, url) in enumerate(captures)]
    return json.dumps([*rows, [], [resume]] if resume else rows).encode()

"""The scenes of `scenes.py` behind a real socket: `python -m tests.scraper.boards.server 8765`."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from tests.scraper.boards.scenes import Answer, answer, call_of

PORT = 8765
"""The port that `loopback.toml` names."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    asked: Counter[str]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no fault of the server."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes) -> None:
        server = cast(Server, self.server)
        key = f"{self.path} {body.decode()}"
        count = server.asked[key]
        server.asked[key] += 1
        base = f"http://127.0.0.1:{server.server_port}"
        if self.path == "/robots.txt":
            found = Answer(b"User-agent: *\nAllow: /\n")
        else:
            found = answer(call_of(base, self.path, body=body, headers=dict(self.headers.items()), count=count))
        time.sleep(found.seconds)
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        self.wfile.write(found.body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@contextmanager
def serving(port: int = 0) -> Iterator[tuple[int, Counter[str]]]:
    """The port of a running server, and how often each address was asked for."""
    server = Server(("127.0.0.1", port), Handler)
    server.asked = Counter()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_port, server.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    with serving(int(sys.argv[1]) if len(sys.argv) > 1 else PORT) as (port, _):
        print(f"http://127.0.0.1:{port}/", flush=True)  # noqa: T201 - says where it listens
        threading.Event().wait()

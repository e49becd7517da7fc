"""A web server on loopback that answers as a test says: whole pages, slow ones, endless ones, none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Callable[[Callable[[bytes], None]], None] | None = None
    """Writes the body itself, without a length, for as long as it likes."""


def page(body: str, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(body.encode(), status, {"Content-Type": "text/html; charset=utf-8", **named})


Route = Answer | Callable[["Request"], Answer]


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: Mapping[str, str]
    count: int
    """How often this path was asked for before."""


class Server(ThreadingHTTPServer):
    routes: dict[str, Route]
    asked: list[Request]
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up on us is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server = cast(Server, self.server)
        count = sum(request.path == self.path for request in server.asked)
        request = Request(self.path, dict(self.headers.items()), count)
        server.asked.append(request)
        route = server.routes.get(self.path, Answer(b"no such page", 404))
        answer = route(request) if callable(route) else route
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.stream is None:
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
        else:
            self.send_header("Connection", "close")
            self.end_headers()
            answer.stream(lambda data: self.wfile.write(data) and None)
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


@dataclass(frozen=True, slots=True)
class Loopback:
    base: str
    asked: list[Request]
    routes: dict[str, Route]
    """May be changed while the server runs."""

    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


@contextmanager
def serving(routes: Mapping[str, Route]) -> Iterator[Loopback]:
    server = Server(("127.0.0.1", 0), Handler)
    server.routes, server.asked = dict(routes), []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Loopback(f"http://127.0.0.1:{server.server_port}", server.asked, server.routes)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

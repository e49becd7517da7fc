"""A small careers site of our own, served on loopback: something real to crawl, on any machine, without a network.

with serve() as base:
    crawl(demo_source(base), database_url="sqlite:///demo.db")
"""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from scraper.site.content import Page, captures, jobs, pages
from scraper.sources import Source

HOST = "127.0.0.1"


@contextmanager
def serve(port: int = 0) -> Iterator[str]:
    """Serves the sample site on loopback while the block runs; yields its address. Port 0 is any free one."""
    server = _Server((HOST, port), _Handler)
    base = f"http://{HOST}:{server.server_port}"
    server.site = pages(base)
    thread = threading.Thread(target=server.serve_forever, name="sample-site", daemon=True)
    thread.start()
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def demo_source(base_url: str) -> Source:
    """The sample site as a source, with its healthy bounds."""
    host = urlsplit(base_url).hostname or HOST
    return Source(
        name="sample-careers",
        spider="articles",
        url=base_url.rstrip("/") + "/",
        min_items=60,
        max_items=2 * len(jobs()),
        terms="our own sample site",
        allow_hosts=(host,),
    )


def write_captures(folder: Path) -> list[Path]:
    """Writes the sample articles as text captures into `folder`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, text in captures().items():
        file = folder / name
        file.write_text(text, encoding="utf-8", newline="\n")
        files.append(file)
    return files


class _Server(ThreadingHTTPServer):
    site: Mapping[str, Page]
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that was killed is no error of the site."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET from memory, with an ETag, and 304 to who has it already."""

    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        page = cast(_Server, self.server).site.get(self.path)
        if page is None:
            self._answer(404, Page(b"<h1>Not found</h1>", "text/html; charset=utf-8"))
            return
        etag = f'"{hashlib.blake2b(page.body, digest_size=8).hexdigest()}"'
        if self.headers.get("If-None-Match") == etag:
            self._answer(304, Page(b"", page.content_type), etag)
        else:
            self._answer(200, page, etag)

    def _answer(self, status: int, page: Page, etag: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        if etag is not None:
            self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(page.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the crawl's own log is the record."""

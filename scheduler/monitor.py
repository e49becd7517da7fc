"""A small HTTP server for whoever watches the scheduler: `/healthz`, `/readyz`, `/metrics`.

It answers from memory alone, so it answers while the ledger is away. It tells nothing secret, but it is not meant for
the open network: it listens on loopback unless told otherwise.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HANGS_AFTER_SECONDS = 120.0
"""No round for so long and the process counts as hung: longer than a locked ledger may hold a round up."""


@dataclass(slots=True)
class Pulse:
    """What the main loop last knew of itself; written by it alone, read by the server."""

    last_round: float
    """Monotonic seconds."""
    leads: bool = False
    ledger_up: bool = False
    ledger_error: str | None = None
    sources_error: str | None = None
    stuck: str | None = None
    """What waits to be read, once it waits too long."""
    stopping: bool = False

    def health(self) -> tuple[bool, dict[str, object]]:
        """Whether the process lives: its loop goes round, whatever it finds."""
        age = time.monotonic() - self.last_round
        return age < HANGS_AFTER_SECONDS, {"seconds_since_round": round(age, 1)}

    def readiness(self) -> tuple[bool, dict[str, object]]:
        """Whether it can do its work: the ledger answers, what is collected is read, and it is not stopping.

        A broken sources file is only said: the old timetable goes on.
        """
        ready = self.ledger_up and not self.stopping and self.stuck is None
        waits = {"pending": self.stuck} if self.stuck is not None else {}
        return ready, {
            "leads": self.leads,
            "ledger": "up" if self.ledger_up else self.ledger_error or "not reached yet",
            "sources": self.sources_error or "ok",
            "stopping": self.stopping,
            **waits,
        }


class MonitorError(Exception):
    """The process cannot be watched as asked for: says where, why and what to do."""


@contextmanager
def served(host: str, port: int, pulse: Pulse, metrics: Callable[[], bytes]) -> Iterator[int]:
    """Serves while the block runs; yields the port (another one for 0). Raises `MonitorError`."""
    try:
        server = ThreadingHTTPServer((host, port), _handler(pulse, metrics))
    except OSError as error:
        raise MonitorError(f"cannot listen on {host}:{port}: {error.strerror or error}; try another --port") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="monitor", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(pulse: Pulse, metrics: Callable[[], bytes]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version, timeout = "jobledger", "", 10.0

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(HTTPStatus.OK, "text/plain; version=0.0.4; charset=utf-8", metrics())
            elif path in ("/healthz", "/readyz"):
                good, facts = pulse.health() if path == "/healthz" else pulse.readiness()
                status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, "application/json", json.dumps({"ok": good, **facts}).encode())
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"see /healthz, /readyz, /metrics\n")

        do_HEAD = do_GET

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes come every few seconds: nobody reads their log."""

    return Handler

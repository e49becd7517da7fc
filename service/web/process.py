"""The processes that answer requests: this one, or several beside each other on one socket."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import partial

import uvicorn

from processes.crew import keep_running
from processes.launch import launch
from service.settings import Settings
from service.web.app import create_app

STOP_SECONDS = 10
"""How long requests that are being answered may take once the service is told to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a process that answers has to know."""

    settings: Settings
    per_minute: int | None
    """Requests of one address that this process lets through; None for no limit."""
    secret: bytes
    """Signs the sessions; the same in all processes."""


def serve_on(descriptor: int, serving: Serving) -> None:
    """Answers requests that come through the listening socket `descriptor` until a signal ends it."""
    app = create_app(serving.settings, per_minute=serving.per_minute, secret=serving.secret, warm=True)
    verbose = serving.settings.verbose
    config = uvicorn.Config(
        app,
        log_level="info" if verbose else "warning",
        access_log=verbose,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    with socket.socket(fileno=descriptor) as listening:
        uvicorn.Server(config).run(sockets=[listening])


def serve_in_processes(descriptor: int, serving: Serving, count: int) -> None:
    """The same in `count` processes, each replaced when it dies."""
    start = partial(launch, "service.web.process:serve_on", descriptor, serving, pass_fds=(descriptor,))
    keep_running(start, count, grace=STOP_SECONDS + 1)
